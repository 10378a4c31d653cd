import { readFile } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openBoundedLog } from '../../../core/queue/bounded-log.ts';
import { useTempFolder } from '../../helpers/files.ts';

const KIB = 1024;
/** What is kept of the beginning and of the end. */
const [HEAD, TAIL] = [512 * KIB, 64 * KIB];
/** Of a pipe. */
const CHUNK = 64 * KIB;

const folder = useTempFolder();

/** Numbered, so that every part is known by its bytes. */
function text(length: number): string {
  return Array.from({ length: Math.ceil(length / 8) }, (_, index) => String(index).padStart(8, '.'))
    .join('')
    .slice(0, length);
}

function inChunks(whole: string, size = CHUNK): Readable {
  const count = Math.ceil(whole.length / size);
  return Readable.from(
    Array.from({ length: count }, (_, index) => Buffer.from(whole.slice(index * size, (index + 1) * size))),
  );
}

async function logOf(name: string, streams: readonly Readable[]): Promise<string> {
  await openBoundedLog(folder.at(name), streams);
  return readFile(folder.at(name), 'utf8');
}

describe('a bounded log', () => {
  it('makes its folders, and is empty when nothing is said', async () => {
    expect(await logOf('a/b/empty.log', [Readable.from([])])).toBe('');
  });

  it.each([1, HEAD, HEAD + 1, HEAD + TAIL])('keeps all of %d bytes', async (length) => {
    expect((await logOf(`all-${length}.log`, [inChunks(text(length))])) === text(length)).toBe(true);
  });

  it.each([
    [HEAD + TAIL + 1, CHUNK],
    [20 * KIB * KIB, CHUNK],
    [20 * KIB * KIB, 3 * KIB * KIB],
  ])('keeps the beginning and the end of %d bytes in chunks of %d', async (length, size) => {
    const whole = text(length);
    const left = length - HEAD - TAIL;
    const expected = `${whole.slice(0, HEAD)}\n… ${left} bytes left out …\n${whole.slice(-TAIL)}`;
    expect((await logOf(`cut-${length}-${size}.log`, [inChunks(whole, size)])) === expected).toBe(true);
  });

  it('writes while it is told, so that a log can be followed', async () => {
    const stream = new PassThrough();
    const done = openBoundedLog(folder.at('live.log'), [stream]);
    stream.write('so far');
    await expect.poll(() => readFile(folder.at('live.log'), 'utf8').catch(() => '')).toBe('so far');
    stream.end();
    await done;
  });

  it('waits for all streams, and one that breaks off ends only itself', async () => {
    const [broken, other] = [new PassThrough(), new PassThrough()];
    const done = openBoundedLog(folder.at('two.log'), [broken, other]);
    broken.write('first ');
    await expect.poll(() => readFile(folder.at('two.log'), 'utf8').catch(() => '')).toBe('first ');
    broken.destroy();
    other.end('second');
    await done;
    expect(await readFile(folder.at('two.log'), 'utf8')).toBe('first second');
  });

  it('goes on with what an earlier attempt of the same number has left', async () => {
    await folder.write('again.log', 'before ');
    expect(await logOf('again.log', [Readable.from([Buffer.from('after')])])).toBe('before after');
  });

  it.each([
    ['a full disk', '/dev/full'],
    ['a folder that cannot be made', '/dev/null/x.log'],
  ])('reads to the end in spite of %s: the process that speaks is not held up', async (_, file) => {
    const stream = inChunks(text(2 * KIB * KIB));
    await openBoundedLog(file, [stream]);
    expect(stream.readableEnded).toBe(true);
  });
});
