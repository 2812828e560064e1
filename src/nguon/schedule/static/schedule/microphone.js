// Runs beside the page's own thread: makes 16 kHz, 16 bit pieces of what is heard.
"use strict";

const RATE = 16000;
const PIECE = 4000;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ratio = sampleRate / RATE;
    this.sum = 0;
    this.count = 0;
    this.next = this.ratio;
    this.seen = 0;
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.peak = 0;
  }

  // Each sample that goes out is the mean of those that it stands for.
  process(inputs) {
    const samples = inputs[0][0];
    if (!samples) return true;
    for (const sample of samples) {
      this.sum += sample;
      this.count += 1;
      this.seen += 1;
      if (this.seen >= this.next) {
        this.put(this.sum / this.count);
        this.sum = 0;
        this.count = 0;
        this.next += this.ratio;
      }
    }
    return true;
  }

  put(value) {
    const clear = Math.max(-1, Math.min(1, value));
    this.peak = Math.max(this.peak, Math.abs(clear));
    this.piece[this.filled] = Math.round(clear * 32767);
    this.filled += 1;
    if (this.filled < PIECE) return;
    this.port.postMessage({ samples: this.piece, peak: this.peak }, [this.piece.buffer]);
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("microphone", Microphone);
