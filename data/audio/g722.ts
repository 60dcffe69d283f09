// Decoder of ITU-T G.722 (09/2012) at 64 kbit/s: two sub-bands of ADPCM, merged by a quadrature mirror filter. Names of
// blocks and tables are those of the Recommendation. No npm package decodes it.

const QM6 = Int16Array.of(
  ...[
    -136,
    -136,
    -136,
    -136,
    -24808,
    -21904,
    -19008,
    -16704,
    -14984,
    -13512,
    -12280,
    -11192,
    -10232,
    -9360,
    -8576,
  ],
  ...[
    -7856,
    -7192,
    -6576,
    -6000,
    -5456,
    -4944,
    -4464,
    -4008,
    -3576,
    -3168,
    -2776,
    -2400,
    -2032,
    -1688,
    -1360,
    -1040,
  ],
  ...[
    -728,
    24808,
    21904,
    19008,
    16704,
    14984,
    13512,
    12280,
    11192,
    10232,
    9360,
    8576,
    7856,
    7192,
    6576,
    6000,
    5456,
  ],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
);
const QM4 = Int16Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
);
const QM2 = Int16Array.of(-7408, -1616, 7408, 1616);
// Increments of the log step size, W_L and W_H, with the index tables R_L and R_H applied.
const WL = Int16Array.of(-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60);
const WH = Int16Array.of(798, -214, 798, -214);
const ILB = Int16Array.of(
  ...[2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834],
  ...[2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008],
);
const QMF = Int16Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);

const limit = (value: number, most: number) => Math.max(-most, Math.min(most, value));
const saturate = (value: number) => Math.max(-32768, Math.min(32767, value));

/** A sub-band: adaptive step size, and a predictor with two poles and six zeros. */
class Band {
  /** Step size, DETL or DETH. */
  step: number;
  /** Predicted signal, SL or SH. */
  signal = 0;
  #logStep = 0;
  #zeroPart = 0;
  #a1 = 0;
  #a2 = 0;
  #r1 = 0;
  #p1 = 0;
  #p2 = 0;
  #b = new Int32Array(6);
  #d = new Int32Array(6);

  constructor(step: number) {
    this.step = step;
  }

  /** LOGSCL and SCALEL, or LOGSCH and SCALEH: adapts the step. */
  adaptStep(weight: number, most: number, shift: number): void {
    this.#logStep = Math.max(0, Math.min(most, (this.#logStep * 127 >> 7) + weight));
    const right = shift - (this.#logStep >> 11);
    const mantissa = ILB[this.#logStep >> 6 & 31]!;
    this.step = (right < 0 ? mantissa << -right : mantissa >> right) << 2;
  }

  /** Block 4: predicts the next signal from the quantized difference. */
  predict(difference: number): void {
    const r = saturate(this.signal + difference);
    const p = saturate(this.#zeroPart + difference);
    // UPPOL2, UPPOL1
    const same1 = p < 0 === this.#p1 < 0;
    const same2 = p < 0 === this.#p2 < 0;
    const slope = saturate(this.#a1 << 2);
    const turned = same1 ? Math.min(32767, -slope) : slope;
    this.#a2 = limit((turned >> 7) + (same2 ? 128 : -128) + (this.#a2 * 32512 >> 15), 12288);
    const bound = saturate(15360 - this.#a2);
    this.#a1 = limit(saturate((same1 ? 192 : -192) + (this.#a1 * 32640 >> 15)), bound);
    this.#p2 = this.#p1;
    this.#p1 = p;
    // UPZERO, FILTEZ
    const b = this.#b;
    const d = this.#d;
    const gain = difference === 0 ? 0 : 128;
    for (let i = 5; i >= 0; i--) {
      const turn = d[i]! < 0 === difference < 0 ? gain : -gain;
      b[i] = saturate(turn + (b[i]! * 32640 >> 15));
      d[i] = i === 0 ? difference : d[i - 1]!;
    }
    let zeros = 0;
    for (let i = 5; i >= 0; i--) zeros += b[i]! * saturate(2 * d[i]!) >> 15;
    this.#zeroPart = saturate(zeros);
    // FILTEP, PREDIC
    const poles = (this.#a1 * saturate(2 * r) >> 15) + (this.#a2 * saturate(2 * this.#r1) >> 15);
    this.#r1 = r;
    this.signal = saturate(saturate(poles) + this.#zeroPart);
  }
}

/**
 * Decoder of a G.722 stream of 64 kbit/s: one byte gives two samples at 16 kHz. The state is kept between calls.
 *
 * @example
 * ```ts
 * import { G722Decoder } from "./g722.ts";
 *
 * new G722Decoder().decode(new Uint8Array(80)).length; // 160 samples, 10 ms
 * ```
 */
export class G722Decoder {
  #low = new Band(32);
  #high = new Band(8);
  // The last 12 sums and 12 differences of the sub-bands, interleaved.
  #x = new Int32Array(24);

  /** Decodes n bytes to 2n samples in [−1, 1). */
  decode(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const samples = new Float32Array(bytes.length * 2);
    const low = this.#low;
    const high = this.#high;
    const x = this.#x;
    for (let i = 0; i < bytes.length; i++) {
      const codeLow = bytes[i]! & 63;
      const codeHigh = bytes[i]! >> 6;
      const outLow = limit15(low.signal + (low.step * QM6[codeLow]! >> 15));
      low.predict(stepLow(low, codeLow >> 2));
      const difference = high.step * QM2[codeHigh]! >> 15;
      const outHigh = limit15(high.signal + difference);
      high.adaptStep(WH[codeHigh]!, 22528, 10);
      high.predict(difference);
      x.copyWithin(0, 2);
      x[22] = outLow + outHigh;
      x[23] = outLow - outHigh;
      let even = 0;
      let odd = 0;
      for (let tap = 0; tap < 12; tap++) {
        odd += x[2 * tap]! * QMF[tap]!;
        even += x[2 * tap + 1]! * QMF[11 - tap]!;
      }
      samples[2 * i] = saturate(even >> 11) / 32768;
      samples[2 * i + 1] = saturate(odd >> 11) / 32768;
    }
    return samples;
  }
}

/** INVQAL: the difference for the lower band's predictor, from the upper four bits of the code; then adapts the step. */
function stepLow(low: Band, code: number): number {
  const difference = low.step * QM4[code]! >> 15;
  low.adaptStep(WL[code]!, 18432, 8);
  return difference;
}

// LIMIT of the output: 15 bits.
const limit15 = (value: number) => Math.max(-16384, Math.min(16383, value));
