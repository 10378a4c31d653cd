import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';

/** Bytes kept from the beginning and from the end; what lies between is left out. */
const HEAD_BYTES = 512 * 1024;
const TAIL_BYTES = 64 * 1024;

/**
 * Keeps what streams say in one file of bounded size: the beginning as it comes, and the end, where errors stand.
 * A disk that fails loses the log, not the work.
 *
 * @returns when all streams have ended and the file is complete; never rejects
 */
export async function openBoundedLog(file: string, streams: readonly Readable[]): Promise<void> {
  const opened = openToAppend(file);
  let room = HEAD_BYTES;
  let skipped = 0;
  let tail = Buffer.alloc(0);
  let writing: Promise<void> = Promise.resolve();
  const write = (bytes: Buffer) => {
    writing = writing.then(async () => {
      const handle = await opened;
      await handle?.appendFile(bytes).catch(() => {});
    });
    return writing;
  };
  const take = (chunk: Buffer): Promise<void> => {
    const head = chunk.subarray(0, room);
    room -= head.length;
    const all = Buffer.concat([tail, chunk.subarray(head.length)]);
    tail = all.subarray(Math.max(0, all.length - TAIL_BYTES));
    skipped += all.length - tail.length;
    return head.length > 0 ? write(head) : writing;
  };
  await Promise.all(streams.map((stream) => drain(stream, take)));
  if (skipped > 0) await write(Buffer.from(`\n… ${skipped} bytes left out …\n`));
  if (tail.length > 0) await write(tail);
  await writing;
  await (await opened)?.close().catch(() => {});
}

async function drain(stream: Readable, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of stream) await take(chunk as Buffer);
  } catch {
    // destroyed: somebody else held it open after the process had ended
  }
}

async function openToAppend(file: string): Promise<FileHandle | null> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    return await open(file, 'a');
  } catch {
    return null;
  }
}
