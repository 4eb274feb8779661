declare module "pdfjs-dist/build/pdf.worker.min.mjs" {
  /** looked up by name by the library */
  export const WorkerMessageHandler: unknown;
}
