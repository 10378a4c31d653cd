import { InvalidInputError } from '../errors.ts';

/** No request needs more; what nests deeper would overflow the stack of whatever walks it. */
const MAX_DEPTH = 32;

/**
 * Content of a JSON text from outside.
 *
 * @param where  what the text is, to begin the message with
 * @throws InvalidInputError when it is no JSON or nests deeper than 32 levels; the message repeats nothing of it
 */
export function parseJson(text: string, where: string): unknown {
  const value = parseText(text.replace(/^\uFEFF/, ''), where);
  if (isWithinDepth(value)) return value;
  throw new InvalidInputError(`${where}: expected at most ${MAX_DEPTH} levels of nesting, received more`, {
    where,
  });
}

function parseText(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message repeats a piece of the text.
    throw new InvalidInputError(`${where}: expected JSON, received text that is no JSON`, { where });
  }
}

/** Level by level, since recursion is what deep input breaks. */
function isWithinDepth(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth += 1) {
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return level.length === 0;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What an object in the store holds: indented, so that people can read it there. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
