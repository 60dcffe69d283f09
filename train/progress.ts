import { escapeControls } from "../files/printable.ts";

/** Options of {@linkcode Progress}. */
export interface ProgressOptions {
  /** Steps of the run. */
  readonly steps: number;
  /** Whether to update one line of a terminal; else a line is written from time to time. */
  readonly terminal: boolean;
  /** Writes text, with its line breaks. */
  readonly write: (text: string) => void;
  /** Seconds between lines without a terminal; default: 10. */
  readonly every?: number;
  /** Width of the terminal; default: 80. */
  readonly columns?: number;
  /** Clock in milliseconds; default: `performance.now`. */
  readonly now?: () => number;
}

/** Results of a step, as the progress line shows them. */
export interface StepProgress {
  /** Steps done. */
  readonly step: number;
  /** Task loss of the step. */
  readonly loss: number;
  /** Seconds of audio in the step. */
  readonly audioSeconds: number;
  /** More fields, such as `{ kept: "61.2 %" }`. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Receives the progress of a training. */
export interface ProgressSink {
  /** Training begins or resumes at a step, or continues after an evaluation. */
  restart(step: number): void;
  /** A step is done. */
  update(progress: StepProgress): void;
  /** A line of text, such as the scores of an evaluation. */
  note(line: string): void;
  /** Training has ended. */
  end(): void;
}

/** Decay of the running mean of the loss. */
const SMOOTH = 0.95;
/** Milliseconds between updates of a terminal's line. */
const UPDATE = 200;
/** Steps that the speed is averaged over. */
const WINDOW = 50;

/**
 * Progress of a run in one line: `step 120/2000  loss 1.234  58 s/s  12 min left`.
 *
 * @example
 * ```ts ignore
 * const progress = new Progress({ steps: 100, terminal: false, write: (text) => Deno.stderr.writeSync(encode(text)) });
 * progress.update({ step: 1, loss: 3.5, audioSeconds: 32 });
 * progress.end();
 * ```
 */
export class Progress implements ProgressSink {
  readonly #options: Required<ProgressOptions>;
  readonly #times: { at: number; step: number; audio: number }[] = [];
  #audio = 0;
  #loss = NaN;
  #shownAt = -Infinity;
  #line = "";
  #onScreen = false;

  /** Starts the clock of the first step. */
  constructor(options: ProgressOptions) {
    this.#options = { every: 10, columns: 80, now: () => performance.now(), ...options };
    this.restart(0);
  }

  /** Restarts the measurement of speed at a step, as after an evaluation or when a run is resumed. */
  restart(step: number): void {
    this.#times.splice(0, Infinity, { at: this.#options.now(), step, audio: this.#audio });
  }

  /** Speed in seconds of audio per second, over the last steps; 0 before the first. */
  get speed(): number {
    const [first, last] = [this.#times[0]!, this.#times.at(-1)!];
    return last.at > first.at ? 1000 * (last.audio - first.audio) / (last.at - first.at) : 0;
  }

  /** Shows a step, unless the last one was shown a moment ago. */
  update({ step, loss, audioSeconds, fields = {} }: StepProgress): void {
    const { now, steps, terminal, every } = this.#options;
    const at = now();
    this.#audio += audioSeconds;
    this.#loss = Number.isNaN(this.#loss) ? loss : SMOOTH * this.#loss + (1 - SMOOTH) * loss;
    this.#times.push({ at, step, audio: this.#audio });
    if (this.#times.length > WINDOW) this.#times.shift();
    const more = Object.entries(fields).map(([name, value]) => escapeControls(`${name} ${value}`));
    const first = this.#times[0]!;
    const left = step > first.step ? (at - first.at) / (step - first.step) * (steps - step) / 1000 : NaN;
    this.#line = [
      `step ${step}/${steps}`,
      `loss ${this.#loss.toPrecision(4)}`,
      ...more,
      `${this.speed.toPrecision(3)} s/s`,
      ...Number.isNaN(left) ? [] : [`${showTime(left)} left`],
    ].join("  ");
    const due = terminal ? UPDATE : every * 1000;
    if (at - this.#shownAt < due && step < steps) return;
    this.#shownAt = at;
    this.#show();
  }

  /** Writes a separate line that stays. */
  note(line: string): void {
    this.#clear();
    this.#options.write(`${escapeControls(line)}\n`);
    if (this.#options.terminal && this.#line !== "") this.#show();
  }

  /** Ends the progress line, which stays. */
  end(): void {
    if (this.#onScreen) this.#options.write("\n");
    this.#onScreen = false;
    this.#line = "";
  }

  #show(): void {
    const { terminal, columns, write } = this.#options;
    if (!terminal) return write(`${this.#line}\n`);
    write(`\r\x1b[K${this.#line.slice(0, columns - 1)}`);
    this.#onScreen = true;
  }

  #clear(): void {
    if (this.#onScreen) this.#options.write("\r\x1b[K");
    this.#onScreen = false;
  }
}

/** A duration: `45 s`, `12 min`, `3 h 20 min`. */
export function showTime(seconds: number): string {
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
