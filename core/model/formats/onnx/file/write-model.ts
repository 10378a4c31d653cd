import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import type { GraphProto, TensorProto } from './onnx-pb.ts';
import { ModelProtoSchema } from './onnx-pb.ts';
import type { OnnxFile } from './read-model.ts';
import { externalPlace } from './read-model.ts';
import type { ChangedEntries } from './tensor-data.ts';
import { changedBytes, changedFields } from './tensor-data.ts';

/**
 * Writes the model under its own name, with some initializers changed; all else is what was read. External data
 * goes beside it, at the same places.
 *
 * @param changes  by initializer; those whose entries are the same are left as they are
 */
export async function writeOnnxFile(
  folder: string,
  { sources, model, external }: OnnxFile,
  changes: ReadonlyMap<string, ChangedEntries>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [file, ...others] = sources as [string, ...string[]];
  const from = path.dirname(file);
  for (const other of others) {
    const copy = path.join(folder, path.relative(from, other));
    await mkdir(path.dirname(copy), { recursive: true });
    await copyFile(other, copy);
  }
  const graph = model.graph!;
  const initializer = graph.initializer.map((tensor): TensorProto => {
    const change = changes.get(tensor.name);
    return change === undefined || external.has(tensor.name)
      ? tensor
      : withFields(tensor, changedFields(tensor, change));
  });
  for (const tensor of graph.initializer) {
    const change = changes.get(tensor.name);
    const bytes = external.get(tensor.name);
    if (change !== undefined && bytes !== undefined) {
      await overwrite(folder, tensor, changedBytes(tensor, bytes, change));
    }
  }
  const changed = withFields(model, { graph: withFields<GraphProto>(graph, { initializer }) });
  await writeFile(path.join(folder, path.basename(file)), toBinary(ModelProtoSchema, changed));
}

/** A copy of a message with some fields replaced; which fields are set at all stays as it is. */
function withFields<Message extends object>(message: Message, fields: Partial<Message>): Message {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, fields) as Message;
}

async function overwrite(folder: string, tensor: TensorProto, bytes: Uint8Array): Promise<void> {
  const { location, offset } = externalPlace(tensor)!;
  const handle = await open(path.join(folder, location), 'r+');
  try {
    await handle.write(bytes, 0, bytes.length, offset);
  } finally {
    await handle.close();
  }
}
