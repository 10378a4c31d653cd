import { create } from '@bufbuild/protobuf';
import { parse } from 'csv-parse/sync';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import {
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '../../core/model/formats/onnx/file/onnx-pb.ts';
import { TABLE_LAYERS } from './made-files.ts';
import { encodeModel, madeModel, madeTensor } from './onnx.ts';

const DATA = 'net.onnx.data';

/** The table model of the workshop as ONNX, the kernel of its hidden layer in a file of its own. */
export function tableOnnx(): Readonly<Record<'net.onnx' | typeof DATA, Uint8Array>> {
  const [hidden, head] = TABLE_LAYERS;
  const kernel = madeTensor('hidden.weight', [4, hidden.units], hidden.kernel);
  const data = kernel.rawData;
  kernel.rawData = new Uint8Array();
  kernel.dataLocation = TensorProto_DataLocation.EXTERNAL;
  kernel.externalData = Object.entries({ location: DATA, offset: '0', length: `${data.length}` }).map(
    ([key, value]) => create(StringStringEntryProtoSchema, { key, value }),
  );
  const model = madeModel({
    nodes: [
      { op: 'Gemm', inputs: ['x', 'hidden.weight', 'hidden.bias'], outputs: ['sum'] },
      { op: 'Relu', inputs: ['sum'], outputs: ['features'] },
      { op: 'Gemm', inputs: ['features', 'head.weight', 'head.bias'], outputs: ['logit'] },
      { op: 'Sigmoid', inputs: ['logit'] },
    ],
    initializers: [
      kernel,
      madeTensor('hidden.bias', [hidden.units], hidden.bias),
      madeTensor('head.weight', [hidden.units, head.units], head.kernel),
      madeTensor('head.bias', [head.units], head.bias),
    ],
    input: [null, 4],
  });
  return { 'net.onnx': encodeModel(model), [DATA]: data };
}

/**
 * Scores that onnxruntime gives the rows of the workshop's `rows.csv` in its test part, with their groups.
 *
 * @param files  the model and its external data
 */
export async function testScores(
  files: Readonly<Record<'net.onnx' | typeof DATA, Uint8Array>>,
  table: string,
): Promise<{ readonly group: string; readonly score: number }[]> {
  const rows = (parse(table, { columns: true }) as Record<string, string>[]).filter(
    ({ part }) => part === 'test',
  );
  const inputs = rows.flatMap(({ size, depth, site }) => [
    (Number(size) - 10) / 4,
    Number(depth) - 1,
    Number(site === 'north'),
    Number(site === 'south'),
  ]);
  const session = await InferenceSession.create(files['net.onnx'], {
    externalData: [{ path: DATA, data: files[DATA] }],
    logSeverityLevel: 3,
  });
  const { y } = await session.run({ x: new Tensor('float32', inputs, [rows.length, 4]) });
  await session.release();
  return rows.map(({ ink }, row) => ({ group: ink!, score: (y!.data as Float32Array)[row]! }));
}
