import type { Readable } from 'node:stream';

/**
 * Does work that reads a body. The body may fail at any time, also before the first byte is asked for: whoever reads
 * it hears of that, and until then nobody needs to listen. It is closed afterwards, read or not.
 */
export async function withBody<T>(body: Readable, work: () => Promise<T>): Promise<T> {
  // An error of a stream that nobody listens to ends the process.
  body.on('error', () => {});
  try {
    return await work();
  } finally {
    body.destroy();
  }
}
