import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { resumedStream } from '../../../core/storage/resumed-stream.ts';

const CONTENT = 'abcdefghij';
const translate = (error: unknown) => new Error(`translated: ${(error as Error | null)?.message}`);

/** Gives `count` bytes from an offset on, then fails or ends. */
function piece(offset: number, count: number, failure?: string): Readable {
  return Readable.from(
    (function* () {
      if (count > 0) yield Buffer.from(CONTENT.slice(offset, offset + count));
      if (failure !== undefined) throw new Error(failure);
    })(),
  );
}

/** Reads the content from pieces of these lengths, each of which breaks off. */
async function readFrom(counts: readonly number[]) {
  const offsets: number[] = [];
  const [first = 0, ...others] = counts;
  const stream = resumedStream(
    piece(0, first, 'cut'),
    { bytes: CONTENT.length, translate },
    async (offset) => {
      offsets.push(offset);
      const count = others.shift();
      return count === undefined ? piece(offset, CONTENT.length) : piece(offset, count, 'cut');
    },
  );
  return { content: await text(stream), offsets };
}

describe('resumedStream', () => {
  it('goes on where a source broke off', async () => {
    expect(await readFrom([3, 4])).toEqual({ content: CONTENT, offsets: [3, 7] });
  });

  it('goes on as often as it takes, while each source gives something', async () => {
    expect(await readFrom([1, 1, 1, 1, 1, 1, 1])).toEqual({
      content: CONTENT,
      offsets: [1, 2, 3, 4, 5, 6, 7],
    });
  });

  it('gives up when too many sources in a row give nothing', async () => {
    await expect(readFrom([2, 0, 0, 0])).resolves.toMatchObject({ offsets: [2, 2, 2, 2] });
    await expect(readFrom([2, 0, 0, 0, 0])).rejects.toThrow('translated: cut');
  });

  it('goes on when a source ends too early without a failure', async () => {
    const stream = resumedStream(piece(0, 4), { bytes: 10, translate }, async (offset) => piece(offset, 6));
    expect(await text(stream)).toBe(CONTENT);
  });

  it('does not go on behind the last byte: the content was wrong', async () => {
    const reopen = () => expect.unreachable();
    const stream = resumedStream(piece(0, 10, 'checksum'), { bytes: 10, translate }, reopen);
    await expect(text(stream)).rejects.toThrow('translated: checksum');
  });

  it('passes on why it could not go on', async () => {
    const stream = resumedStream(piece(0, 2, 'cut'), { bytes: 10, translate }, () =>
      Promise.reject(new Error('gone')),
    );
    await expect(text(stream)).rejects.toThrow('translated: gone');
  });

  it.each(['read', 'unread'])('destroys its source when it is closed %s', async (state) => {
    const source = piece(0, 10);
    const stream = resumedStream(source, { bytes: 10, translate }, () => expect.unreachable());
    if (state === 'read') await text(stream);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.destroy();
    if (!stream.closed) await closed;
    expect(source.destroyed).toBe(true);
  });
});
