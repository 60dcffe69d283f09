/// <reference lib="dom" />
// The card of a model: what it is, how far it is loaded, what it transcribes, and how fast.
import type { SiteModel } from "./site.ts";

/** Millions, or thousands where that reads better. */
export function countText(n: number): string {
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)} M` : `${(n / 1e3).toFixed(0)} k`;
}

/** Bytes as megabytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

/** Elements on the page that show a model. */
export class ModelCard {
  readonly #text: HTMLElement;
  readonly #time: HTMLElement;
  readonly #progress: HTMLProgressElement;

  /** Adds the card to `parent`. */
  constructor(readonly model: SiteModel, parent: HTMLElement) {
    const card = document.createElement("article");
    const add = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, text = "") => {
      const element = document.createElement(tag);
      element.className = name;
      element.textContent = text;
      return card.appendChild(element);
    };
    const heading = add("h2", "title", model.title);
    heading.id = `model-${model.folder.replace(/\W+/g, "-")}`;
    card.setAttribute("aria-labelledby", heading.id);
    const { name, bytes, parameters, macs } = model;
    add(
      "p",
      "facts",
      `${name}: ${megabytes(bytes)}, ${countText(parameters)} parameters, ${countText(macs)} MACs/s`,
    );
    this.#progress = add("progress", "progress");
    this.#progress.max = bytes;
    this.#progress.setAttribute("aria-label", `Download of the ${model.title.toLowerCase()} model`);
    this.#text = add("p", "text");
    this.#text.setAttribute("aria-live", "polite");
    this.#time = add("p", "time");
    parent.append(card);
  }

  /** Shows how much is loaded, in bytes. */
  loading(received: number): void {
    this.#progress.value = received;
  }

  /** Shows that the model is ready. */
  ready(): void {
    this.#progress.remove();
  }

  /** Shows a transcript; the time of an earlier one goes. */
  transcript(text: string): void {
    this.#text.textContent = text === "" ? "(no words)" : text;
    this.#time.textContent = "";
  }

  /** Shows the time in seconds for each second of audio. */
  time(perSecond: number): void {
    this.#time.textContent = `${(perSecond * 1000).toFixed(1)} ms for 1 s of audio`;
  }
}
