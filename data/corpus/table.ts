// Reads tables with a header: tab-separated without quotes, or comma-separated with them.
import type { Row } from "./jsonl.ts";
import { lineError, streamLines, type TextLine } from "./lines.ts";
import type { OnError } from "./utterance.ts";

// Longest row of a table with quotes, in characters.
const MAX_ROW = 2 ** 20;

/**
 * The rows of a table of tab-separated values. Quotes have no meaning, as in Common Voice. Fields at the end of a row may
 * be missing.
 *
 * @param path Path of the table.
 * @param onError Receives the error of a row with more fields than the header; if it does not throw, the row is skipped.
 * @throws {Error} If it cannot be read; one line that names the path.
 */
export async function* readTsv(path: string, onError: OnError): AsyncGenerator<Row> {
  let header: readonly string[] | undefined;
  for await (const { at, text } of streamLines(path)) {
    if (text.trim() === "") continue;
    const fields = text.split("\t");
    if (!header) header = fields;
    else yield* rowOf(at, header, fields, onError);
  }
}

/** Columns of a tab-separated table: its first line. */
export async function tsvColumns(path: string): Promise<readonly string[]> {
  for await (const { text } of streamLines(path)) return text.split("\t");
  return [];
}

/**
 * The rows of a table of comma-separated values (RFC 4180), whose fields may be quoted and then have line breaks.
 *
 * @param path Path of the table.
 * @param onError Receives the error of a row; if it does not throw, the row is skipped.
 * @throws {Error} If it cannot be read; one line that names the path.
 */
export async function* readCsv(path: string, onError: OnError): AsyncGenerator<Row> {
  let header: readonly string[] | undefined;
  for await (const { at, text } of quotedLines(path, onError)) {
    if (text.trim() === "") continue;
    const fields = splitCsv(text);
    if (!header) header = fields;
    else yield* rowOf(at, header, fields, onError);
  }
}

/** Lines joined where a quoted field has line breaks: up to an even number of quotes, those in a field being doubled. */
async function* quotedLines(path: string, onError: OnError): AsyncGenerator<TextLine> {
  let at = "";
  let parts: string[] = [];
  let length = 0;
  let isOpen = false;
  const unfinished = () =>
    onError(lineError(at, `a quoted field must end within ${MAX_ROW} characters`, "it does not"));
  for await (const line of streamLines(path)) {
    if (parts.length === 0) ({ at } = line);
    parts.push(line.text);
    length += line.text.length;
    if (line.text.split('"').length % 2 === 0) isOpen = !isOpen;
    if (isOpen && length <= MAX_ROW) continue;
    if (isOpen) return unfinished();
    yield { at, text: parts.join("\n") };
    [parts, length] = [[], 0];
  }
  if (isOpen) unfinished();
}

function splitCsv(line: string): string[] {
  const fields = [...line.matchAll(/("(?:[^"]|"")*"|[^,"]*)([^,]*)(?:,|$)/g)];
  // The last match is empty, and a field only after a comma.
  return (line.endsWith(",") ? fields : fields.slice(0, -1)).map(([, field, rest]) =>
    (field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!) + rest
  );
}

function* rowOf(
  at: string,
  header: readonly string[],
  fields: readonly string[],
  onError: OnError,
): Generator<Row> {
  if (fields.length > header.length) {
    const found = `it has ${fields.length}`;
    onError(lineError(at, `a row must have ${header.length} fields, as the header has`, found));
  } else {
    yield { at, fields: Object.fromEntries(header.map((name, i) => [name, fields[i] ?? ""])) };
  }
}
