import { Readable } from 'node:stream';

/** How often in a row a source may end without a single byte. */
const MOST_EMPTY = 3;

export interface ResumedOptions {
  /** Of the whole body. */
  readonly bytes: number;
  /** Error for the reader, from one of a source or of `reopen`. */
  readonly translate: (error: unknown) => Error;
}

interface Progress {
  offset: number;
  /** Sources in a row that gave nothing. */
  empty: number;
}

/**
 * One body over several connections: where a source breaks off, another one goes on from there.
 *
 * @param reopen  source of the same content from an offset on
 * @returns stream that destroys its source when it is closed, read or not
 */
export function resumedStream(
  first: Readable,
  { bytes, translate }: ResumedOptions,
  reopen: (offset: number) => Promise<Readable>,
): Readable {
  let source = first;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const progress: Progress = { offset: 0, empty: 0 };
    try {
      for (;;) {
        const cut = yield* copy(source, progress);
        if (progress.offset >= bytes && cut === null) return;
        // A failure behind the last byte is one of the content: its checksum.
        if (progress.offset >= bytes || progress.empty > MOST_EMPTY) throw cut;
        source = await reopen(progress.offset);
      }
    } catch (error) {
      throw translate(error);
    }
  }
  return Readable.from(chunks(), { objectMode: false }).once('close', () => source.destroy());
}

/** Passes a source on. @returns what broke it off; null when it came to its end */
async function* copy(source: Readable, progress: Progress): AsyncGenerator<Uint8Array, unknown> {
  progress.empty += 1;
  try {
    for await (const chunk of source) {
      progress.offset += chunk.length;
      progress.empty = 0;
      yield chunk;
    }
    return null;
  } catch (error) {
    return error;
  }
}
