import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/*
 * Makes core/model/formats/onnx/file/onnx-pb.ts from the official schema, which the PyPI package onnx holds as
 * onnx/onnx.proto (Apache-2.0). To be run when a new schema is wanted:
 *
 *   npx tsx scripts/build-onnx-schema.ts path/to/onnx.proto
 *
 * The compiler is fetched for the run alone: it is 90 MB, and its output changes with the schema only.
 */

const TOOLS = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.17.0'];
const OUT = path.join(import.meta.dirname, '../core/model/formats/onnx/file/onnx-pb.ts');

const [schema] = process.argv.slice(2);
if (schema === undefined) throw new TypeError('expected the path of onnx.proto');

const folder = mkdtempSync(path.join(tmpdir(), 'onnx-schema-'));
try {
  copyFileSync(schema, path.join(folder, 'onnx.proto'));
  const plugin = { local: 'protoc-gen-es', out: folder, opt: ['target=ts', 'erasable_syntax=true'] };
  const buf = (...args: string[]) =>
    execFileSync('npx', ['--yes', ...TOOLS.flatMap((tool) => ['-p', tool]), 'buf', ...args], { cwd: folder });
  buf('build', '.', '--exclude-source-info', '-o', 'schema.binpb');
  buf('generate', 'schema.binpb', '--template', JSON.stringify({ version: 'v2', plugins: [plugin] }));
  writeFileSync(OUT, readFileSync(path.join(folder, 'onnx_pb.ts')));
} finally {
  rmSync(folder, { recursive: true });
}
