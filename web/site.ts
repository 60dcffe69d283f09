// What the page reads from `site.json`, which `espalier web` writes.

/** A model of the page. */
export interface SiteModel {
  /** Heading: `Dense`. */
  readonly title: string;
  /** Name for the reader: the folder or the name on the hub. */
  readonly name: string;
  /** Folder of its files relative to the page, with a slash at its end. */
  readonly folder: string;
  /** Changes with the files, so that browsers do not take others from their cache. */
  readonly version: string;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Parameters, and MACs for 1 s of 10 s of audio, both without the head. */
  readonly parameters: number;
  readonly macs: number;
}

/** Models, and audio files to try, relative to the page. */
export interface Site {
  readonly models: readonly SiteModel[];
  readonly samples: readonly string[];
}
