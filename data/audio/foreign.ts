// Names of formats that are not read, for the message.

/** Names by the first bytes. */
const NAMES: readonly (readonly [test: RegExp, name: string])[] = [
  [/^....ftyp(M4A|M4B|mp4|isom|iso\d|MSNV|qt)/s, "M4A or MP4 (AAC or ALAC)"],
  [/^....ftyp3g/s, "3GP (AMR or AAC)"],
  [/^....ftyp/s, "MP4"],
  [/^\xff[\xf0\xf1\xf8\xf9]/, "AAC"],
  [/^ADIF/, "AAC"],
  [/^.E\xdf\xa3/s, "WebM or Matroska"],
  [/^0&\xb2u/, "WMA"],
  [/^#!AMR/, "AMR"],
  [/^caff/, "CAF"],
  [/^\.snd/, "Sun AU"],
  [/^ajkg/, "Shorten"],
  [/^wvpk/, "WavPack"],
  [/^MAC /, "Monkey's Audio"],
  [/^Creative Voice/, "VOC"],
  [/^version https:\/\/git-lfs/, "a Git LFS pointer, not the file itself: run git lfs pull"],
];

/** Name of a format that is not read, with the way to convert it; undefined if it is unknown. */
export function foreignName(start: Uint8Array): string | undefined {
  const text = String.fromCharCode(...start.subarray(0, 32));
  const name = NAMES.find(([test]) => test.test(text))?.[1];
  if (name === undefined || name.includes("git lfs")) return name;
  return `${name} (convert it: ffmpeg -i IN OUT.flac)`;
}
