import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isCounterweightError } from '../../../../../core/errors.ts';
import { loadKeras } from '../../../../../core/model/formats/keras/load.ts';
import { openZip } from '../../../../../core/model/formats/keras/zip.ts';
import type { Random } from '../../../../../worker/random.ts';
import { makeRandom } from '../../../../../worker/random.ts';
import { useTempFolder } from '../../../../helpers/files.ts';
import { FIXTURES } from '../../../../helpers/keras.ts';
import { expectNoLeak, withBackend } from '../../../../helpers/tensors.ts';

const MOST_BYTES = 500e6;

/** A few bytes are others, or the end is missing. */
function damage(bytes: Buffer, seed: number): Buffer {
  const random = makeRandom(seed);
  if (seed % 4 === 0) return bytes.subarray(0, random.integer(bytes.length));
  const damaged = Buffer.from(bytes);
  for (let count = 0; count < 1 + (seed % 6); count += 1) {
    const place = random.integer(bytes.length);
    damaged[place] = seed % 2 === 0 ? random.integer(256) : damaged[place]! ^ (1 << random.integer(8));
  }
  return damaged;
}

const WRONG_VALUES = [-1, 0, 1.5, 2 ** 31, 1e300, '', 'constructor', null, [], {}, [[]], true, '__proto__'];

/** One value of the configuration is another. */
function distort(config: unknown, random: Random): unknown {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (value: unknown) => {
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit(inner);
    }
  };
  visit(config);
  const [owner, key] = places[random.integer(places.length)]!;
  owner[key] = WRONG_VALUES[random.integer(WRONG_VALUES.length)];
  return config;
}

describe('of damaged files each', () => {
  withBackend('wasm');
  const folder = useTempFolder();

  /** Is the file refused, and by an error of ours? */
  async function isRefused(name: string, bytes: Uint8Array): Promise<boolean> {
    const file = await folder.write(name, bytes);
    let refused = false;
    await expectNoLeak(async () => {
      try {
        (await loadKeras(file)).dispose();
      } catch (error) {
        if (!isCounterweightError(error)) throw error;
        refused = true;
      }
    });
    expect(process.memoryUsage().rss).toBeLessThan(MOST_BYTES);
    return refused;
  }

  it('archive is refused, unless the damage is to what does not matter, such as a date', async () => {
    const bytes = await readFile(path.join(FIXTURES, 'nested.keras'));
    let refused = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      if (await isRefused('a.keras', damage(bytes, seed))) refused += 1;
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('configuration is refused, or is that of another network', async () => {
    const zip = openZip(await readFile(path.join(FIXTURES, 'twins.keras')), 'file');
    for (let seed = 0; seed < 30; seed += 1) {
      const config = distort(JSON.parse(zip.read('config.json').toString()), makeRandom(seed));
      await isRefused('b.keras', zip.replace('config.json', Buffer.from(JSON.stringify(config))));
    }
  });

  it('HDF5 file is refused, or has other weights', async () => {
    const bytes = await readFile(path.join(FIXTURES, 'nested.h5'));
    let refused = 0;
    for (let seed = 0; seed < 10; seed += 1) {
      if (await isRefused('c.h5', damage(bytes, seed))) refused += 1;
    }
    expect(refused).toBeGreaterThan(3);
  });
});
