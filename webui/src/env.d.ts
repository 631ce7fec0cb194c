/// <reference types="vite/client" />

// plotly.js has no types of its own: what is used of it.
declare module "plotly.js/lib/core" {
  type Figure = { data: Record<string, unknown>[]; layout: Record<string, unknown> };
  interface Graph extends HTMLElement {
    on(event: string, then: (said: never) => void): void;
    removeAllListeners(event: string): void;
  }
  const Plotly: {
    register(modules: unknown): void;
    react(
      box: HTMLElement,
      data: Figure["data"],
      layout: Figure["layout"],
      config?: Record<string, unknown>,
    ): Promise<Graph>;
    relayout(box: HTMLElement, change: Record<string, unknown>): Promise<Graph>;
    toImage(
      figure: Figure & { config?: Record<string, unknown> },
      options: Record<string, unknown>,
    ): Promise<string>;
    purge(box: HTMLElement): void;
  };
  export default Plotly;
}
declare module "plotly.js/src/components/fx/constants" {
  const constants: { HOVERID: string };
  export default constants;
}
declare module "plotly.js/src/lib/throttle" {
  const throttle: { clear(id: string): void };
  export default throttle;
}
declare module "plotly.js/lib/*" {
  const trace: unknown;
  export default trace;
}
