/** A quoted text as `quote` and JSON.stringify spell it. */
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** What begins a message about settings, models and groups, whose names an audit shows anyway; a table's does not. */
const NO_TABLE = /^(?:options|preprocess|model|head|layer|gradient of|group)\b/;

/**
 * A message without what the data holds: a quoted text stays only if the request named it. A table without a header
 * line would else show its first row as "column names", and names of images can tell who a patient is. Messages
 * about settings and models are left as they are.
 *
 * @param request  whatever the client sent; its texts may be repeated to it
 */
export function withoutData(message: string, request: unknown): string {
  if (NO_TABLE.test(message)) return message;
  const known = new Set(textsIn(request).map((text) => JSON.stringify(text)));
  return message.replace(QUOTED, (quoted) => (known.has(quoted) ? quoted : '"…"'));
}

/**
 * A message without the places that files have in the store or on a machine.
 *
 * @param places  what to say instead of each path, and of whatever path leads up to it
 */
export function withoutPaths(message: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((text, [name, path]) => {
    const pieces = text.split(path);
    const last = pieces.pop()!;
    return [...pieces.map((piece) => piece.replace(/[^\s"]*$/, '')), last].join(name);
  }, message);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value, value.replace(/\/$/, '')];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
