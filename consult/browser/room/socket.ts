/**
 * The room's line to the server: opens, says hello, keeps alive, opens again. The socket may lose anything; the numbered log is
 * the truth, so whoever listens compares numbers and fetches what is missing.
 */

import type { Hex, Receipt, RoomItem } from "../bridge.ts";
import type { Link } from "./words.ts";

/** Frames of the server (docs/protocol.md, section 6). */
export type ServerFrame =
  | { readonly t: "welcome"; readonly head: number; readonly epoch: number }
  | { readonly t: "items"; readonly items: readonly RoomItem[]; readonly head: number }
  | { readonly t: "ack"; readonly id: Hex; readonly seq: number; readonly at: number; readonly receipt?: Receipt }
  | { readonly t: "error"; readonly code: string; readonly ref?: Hex | null; readonly expected?: number; readonly epoch?: number }
  | { readonly t: "due" }
  | { readonly t: "online"; readonly devices: readonly Hex[] }
  | { readonly t: "pong"; readonly head: number };

interface Listener {
  readonly frame: (frame: ServerFrame) => void;
  readonly link: (link: Link) => void;
  /** what to ask for when the line opens */
  readonly hello: () => { readonly device: Hex; readonly since: number };
}

const pingEvery = 12_000;
/** No answer for this long means that the line is dead although nobody said so. */
const silence = 30_000;
const shortestWait = 500;
const longestWait = 15_000;
/** After so many attempts that never opened, the network probably blocks sockets: go on by post and keep trying now and then. */
const attemptsBeforePost = 4;
const ended: Readonly<Record<number, Link>> = { 4401: "signed_out", 4403: "no_seat" };

export class RoomSocket {
  readonly #url: string;
  readonly #listener: Listener;
  #socket: WebSocket | undefined;
  #attempts = 0;
  #lastHeard = 0;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(room: Hex, listener: Listener) {
    this.#url = `${location.origin.replace(/^http/, "ws")}/ws/rooms/${room}`;
    this.#listener = listener;
    addEventListener("online", () => this.#soon());
    addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#soon();
    });
    setInterval(() => this.#beat(), pingEvery);
    this.#open();
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** @returns false if the line is not open: nothing was sent */
  send(frame: string): boolean {
    if (!this.isOpen) return false;
    this.#socket?.send(frame);
    return true;
  }

  #open(): void {
    this.#listener.link(this.#attempts < attemptsBeforePost ? (this.#attempts === 0 ? "connecting" : "waiting") : "by_post");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#lastHeard = Date.now();
      socket.send(JSON.stringify({ t: "hello", ...this.#listener.hello() }));
    });
    socket.addEventListener("message", (event: MessageEvent<string>) => {
      if (this.#socket !== socket) return;
      this.#lastHeard = Date.now();
      const frame = JSON.parse(event.data) as ServerFrame;
      if (frame.t === "welcome") {
        this.#attempts = 0;
        this.#listener.link("connected");
      }
      this.#listener.frame(frame);
    });
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#again(event.code);
    });
  }

  #again(code: number): void {
    const end = ended[code];
    if (end !== undefined) {
      this.#closed = true;
      this.#listener.link(end);
      return;
    }
    this.#attempts += 1;
    this.#listener.link(this.#attempts < attemptsBeforePost ? "waiting" : "by_post");
    const wait = Math.min(longestWait, shortestWait * 2 ** (this.#attempts - 1));
    // spread out, so that a room does not come back all at once
    this.#timer = setTimeout(() => this.#open(), wait * (0.7 + Math.random() * 0.6));
  }

  #soon(): void {
    if (this.#closed || this.isOpen || this.#socket?.readyState === WebSocket.CONNECTING) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  /** The line is dead, whether or not the browser has noticed: nothing that comes through it counts any more. */
  #lost(): void {
    const dead = this.#socket;
    if (this.#closed || dead === undefined || dead.readyState > WebSocket.OPEN) return;
    this.#socket = undefined;
    dead.close();
    this.#again(1006);
  }

  #beat(): void {
    if (!this.isOpen) return;
    if (Date.now() - this.#lastHeard > silence) {
      this.#lost();
      return;
    }
    this.send(JSON.stringify({ t: "ping" }));
  }
}
