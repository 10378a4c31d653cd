import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withBody } from '../../../core/storage/source-body.ts';

describe('withBody', () => {
  it('returns what the work does, and closes the body', async () => {
    const body = new PassThrough();
    expect(await withBody(body, async () => 'done')).toBe('done');
    expect(body.destroyed).toBe(true);
  });

  it('throws what the work throws, and closes the body', async () => {
    const body = new PassThrough();
    await expect(withBody(body, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(body.destroyed).toBe(true);
  });

  it('keeps a failure of the body for whoever reads it, before, while or after it works', async () => {
    const body = new PassThrough();
    const work = withBody(body, async () => {
      body.destroy(new Error('gone'));
      await sleep(5); // the error is out by then, and this process lives
      for await (const _ of body) expect.unreachable();
    });
    await expect(work).rejects.toThrow('gone');
    body.emit('error', new Error('once more'));
  });
});
