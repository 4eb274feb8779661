/**
 * The inside of the paper viewer's frame: an opaque origin with no network. It is given bytes, shows them, and says whether it could.
 */

import * as pdf from "pdfjs-dist";
import * as pdfWorker from "pdfjs-dist/build/pdf.worker.min.mjs";

interface Given {
  readonly bytes: ArrayBuffer;
  readonly type: string;
  readonly pages: string;
}

const widest = 1400;
/** VerbosityLevel.ERRORS */
const onlyErrors = 0;

function isGiven(value: unknown): value is Given {
  return typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof ArrayBuffer && "type" in value;
}

async function show({ bytes, type, pages }: Given): Promise<void> {
  if (type === "application/pdf") await showPdf(bytes, pages);
  else if (type === "text/plain") showText(bytes);
  else await showImage(bytes, type);
}

function showText(bytes: ArrayBuffer): void {
  const text = document.createElement("pre");
  text.dir = "auto";
  text.textContent = new TextDecoder().decode(bytes);
  document.body.append(text);
}

async function showImage(bytes: ArrayBuffer, type: string): Promise<void> {
  const image = document.createElement("img");
  image.alt = "";
  image.src = URL.createObjectURL(new Blob([bytes], { type }));
  await image.decode();
  document.body.append(image);
}

async function showPdf(bytes: ArrayBuffer, words: string): Promise<void> {
  // no worker can be started from an opaque origin: the library finds this one in the page itself
  Object.assign(globalThis, { pdfjsWorker: pdfWorker });
  const paper = await pdf.getDocument({ data: new Uint8Array(bytes), isEvalSupported: false, useSystemFonts: true, useWasm: false, verbosity: onlyErrors }).promise;
  for (let n = 1; n <= paper.numPages; n += 1) await showPage(paper, n, words.replace("{n}", String(n)).replace("{all}", String(paper.numPages)));
}

async function showPage(paper: pdf.PDFDocumentProxy, n: number, words: string): Promise<void> {
  const page = await paper.getPage(n);
  const natural = page.getViewport({ scale: 1 });
  const scale = (Math.min(document.body.clientWidth, widest) / natural.width) * Math.min(2, globalThis.devicePixelRatio);
  const viewport = page.getViewport({ scale });
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(viewport.width);
  canvas.height = Math.round(viewport.height);
  canvas.setAttribute("role", "img");
  const text = await page.getTextContent();
  canvas.setAttribute("aria-label", `${words}. ${text.items.map((item) => ("str" in item ? item.str : "")).join(" ")}`);
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = words;
  figure.append(canvas, caption);
  document.body.append(figure);
  await page.render({ canvas, viewport }).promise;
}

addEventListener("message", (event: MessageEvent<unknown>) => {
  if (event.source !== parent || !isGiven(event.data)) return;
  show(event.data).then(
    () => parent.postMessage("shown", "*"),
    () => parent.postMessage("failed", "*"),
  );
});
parent.postMessage("ready", "*");
