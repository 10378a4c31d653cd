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
/** Of the processor, since others may use the machine. */
const MOST_MS = 1000;

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

  /** Message of the error of ours by which the file is refused; null when it loads. */
  async function refusalOf(name: string, bytes: Uint8Array): Promise<string | null> {
    const file = await folder.write(name, bytes);
    const start = process.cpuUsage();
    let refusal: string | null = null;
    await expectNoLeak(async () => {
      try {
        (await loadKeras(file)).dispose();
      } catch (error) {
        if (!isCounterweightError(error)) throw error;
        refusal = error.message;
      }
    });
    const { user, system } = process.cpuUsage(start); // in microseconds
    expect((user + system) / 1000).toBeLessThan(MOST_MS);
    expect(process.memoryUsage().rss).toBeLessThan(MOST_BYTES);
    return refusal;
  }

  it('archive is refused, unless the damage is to what does not matter, such as a date', async () => {
    const bytes = await readFile(path.join(FIXTURES, 'nested.keras'));
    let refused = 0;
    for (let seed = 0; seed < 70; seed += 1) {
      if ((await refusalOf('a.keras', damage(bytes, seed))) !== null) refused += 1;
    }
    expect(refused).toBeGreaterThan(60);
  });

  it('configuration is refused, or is that of another network', async () => {
    const zip = openZip(await readFile(path.join(FIXTURES, 'twins.keras')), 'file');
    for (let seed = 0; seed < 20; seed += 1) {
      const config = distort(JSON.parse(zip.read('config.json').toString()), makeRandom(seed));
      await refusalOf('b.keras', zip.replace('config.json', Buffer.from(JSON.stringify(config))));
    }
  });

  it('HDF5 file is refused, or has other weights', async () => {
    const bytes = await readFile(path.join(FIXTURES, 'nested.h5'));
    let refused = 0;
    for (let seed = 0; seed < 9; seed += 1) {
      if ((await refusalOf('c.h5', damage(bytes, seed))) !== null) refused += 1;
    }
    expect(refused).toBeGreaterThan(3);
  });

  it('HDF5 file of which the library reads without end is given up within the same time', async () => {
    const bytes = await readFile(path.join(FIXTURES, 'nested.h5'));
    expect(await refusalOf('d.h5', damage(bytes, 35))).toContain('whose reading does not end');
  });
});
