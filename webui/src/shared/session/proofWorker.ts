/** Looks for a proof of work in a thread of its own, and says now and then how far it is. */
import { search, type Challenge } from "./proofOfWork";

const STEP = 20_000;

self.onmessage = ({ data }: MessageEvent<Challenge>) => {
  for (let tried = 0; ; tried += STEP) {
    const number = search(data, tried, STEP);
    self.postMessage({ tried: tried + STEP, number });
    if (number !== null) return;
  }
};
