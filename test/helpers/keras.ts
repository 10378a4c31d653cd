import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import type { Group } from 'h5wasm';
import { describe, expect, it } from 'vitest';
import type { LayerSpec } from '../../core/model/formats/keras/layers/spec.ts';
import { readKerasModel } from '../../core/model/formats/keras/load.ts';
import { WeightQueue } from '../../core/model/formats/keras/weights.ts';
import { withBackend } from './tensors.ts';

/** Files that Keras wrote, and what it makes of them. */
export const FIXTURES = path.join(import.meta.dirname, '../fixtures/keras');
const ORACLES = path.join(import.meta.dirname, '../../../shared/oracles/keras');

export interface Expected {
  readonly inputs: () => tf.Tensor;
  readonly outputs: readonly number[];
  readonly shape: readonly number[];
}

/** Inputs and outputs beside a model file. */
export function expectedOf(file: string): Expected {
  const { x, xs, y, ys } = JSON.parse(readFileSync(file.replace(/\.[^.]*$/, '.io.json'), 'utf8'));
  return { inputs: () => tf.tensor(x, xs), outputs: y, shape: ys };
}

/** Fails unless the network gives what Keras gives, within 1e-4. */
export async function expectOutputsOfKeras(file: string): Promise<void> {
  const { inputs, outputs, shape } = expectedOf(file);
  const { model } = await readKerasModel(file);
  const result = tf.tidy(() => model.predict(inputs()) as tf.Tensor);
  try {
    expect(result.shape).toEqual(shape);
    const errors = Array.from(result.dataSync(), (value, place) => Math.abs(value - outputs[place]!));
    expect(errors.length).toBe(outputs.length);
    expect(Math.max(...errors)).toBeLessThan(1e-4);
  } finally {
    result.dispose();
    model.dispose();
  }
}

/** A test for each of the oracle's files, where they are beside this repository. */
export function testOracles(...names: readonly string[]): void {
  describe.skipIf(!existsSync(ORACLES))('the oracle of Keras', () => {
    withBackend('wasm');
    it.each(names)('%s', (name) => expectOutputsOfKeras(path.join(ORACLES, `${name}.keras`)));
  });
}

export interface StoredWeight {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** An `.h5` as Keras 2 writes it: the configuration, and weights by layer and name such as `head/kernel:0`. */
export async function makeH5(
  config: object,
  weights: Readonly<Record<string, Readonly<Record<string, StoredWeight>>>>,
): Promise<Uint8Array> {
  const library = await import('h5wasm');
  await library.ready;
  const file = new library.File('made.h5', 'w');
  file.create_attribute('model_config', JSON.stringify(config));
  const root = file.create_group('model_weights');
  for (const [layer, stored] of Object.entries(weights)) {
    const group = root.create_group(layer);
    group.create_attribute('weight_names', Object.keys(stored));
    for (const [weight, { shape, values }] of Object.entries(stored)) {
      const [folder, name] = weight.split('/') as [string, string];
      const place = (group.get(folder) as Group | null) ?? group.create_group(folder);
      place.create_dataset({ name, data: Float32Array.from(values), shape: [...shape] });
    }
  }
  file.close();
  return library.FS!.readFile('made.h5') as Uint8Array;
}

/** A layer without weights, as it stands in a file. */
export function specOf(kind: string, config: LayerSpec['config'] = {}): LayerSpec {
  const layer = { kind, isOperation: false, name: 'made', config, nodes: [], graph: null };
  return { kind, name: 'made', config, weights: new WeightQueue(layer, []), operands: [] };
}

export interface ZipPart {
  readonly name: string;
  readonly content: Uint8Array;
  readonly isPacked?: boolean;
  /** In place of what they are. */
  readonly declared?: Partial<Record<'bytes' | 'method' | 'flags' | 'checksum', number>>;
}

/** A zip archive by the letter of its specification. */
export function makeZip(parts: readonly ZipPart[], comment = ''): Buffer {
  const records: Buffer[] = [];
  const bodies: Buffer[] = [];
  let offset = 0;
  for (const { name, content, isPacked = false, declared = {} } of parts) {
    const data = isPacked ? deflateRawSync(content) : content;
    const {
      method = isPacked ? 8 : 0,
      flags = 0,
      bytes = content.length,
      checksum = crc32(content),
    } = declared;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(checksum, 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const record = Buffer.alloc(14);
    record.writeUInt32LE(offset, 10);
    records.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), common, record, Buffer.from(name)]),
    );
    const body = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), data]);
    bodies.push(body);
    offset += body.length;
  }
  const directory = Buffer.concat(records);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([
    ...bodies,
    directory,
    Buffer.from('PK\x05\x06', 'latin1'),
    end,
    Buffer.from(comment),
  ]);
}
