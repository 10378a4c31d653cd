import { rm } from 'node:fs/promises';
import path from 'node:path';
import { EXIT_CODES } from '../../worker/commands/exit-codes.ts';
import { writeScenario } from '../acceptance/ham-data.ts';
import { runChild, typescript } from './child.ts';
import { median } from './median.ts';

export interface JobFigures {
  /** Whole processes, from the command line to the report, in seconds; medians. */
  readonly released: number;
  readonly robust: number;
  /** The peer: importance, mask and both stages alone, then its whole process without the model's own training. */
  readonly torchMethod: number | null;
  readonly torchProcess: number | null;
}

interface JobOptions {
  readonly data: string;
  readonly model: string;
  readonly folder: string;
  readonly threads: number;
  readonly repeats: number;
  readonly python: string | null;
}

const CLI = path.join(import.meta.dirname, '../../worker/counterweight.ts');
const PEER = path.join(import.meta.dirname, '../../../shared/peers/torch_bmft.py');
const PREPROCESS = path.join(import.meta.dirname, '../../../shared/models/preprocess.json');

/** The whole job on HAM's external split with a ResNet-14, beside the same in PyTorch, one after the other. */
export async function benchJob(options: JobOptions): Promise<JobFigures> {
  const { data, folder, python, repeats } = options;
  const manifest = await writeScenario(data, 'artefact', folder);
  if (python !== null) await runPeer(python, options); // trains its model, which later runs load
  const times = {
    released: [] as number[],
    robust: [] as number[],
    method: [] as number[],
    process: [] as number[],
  };
  for (let round = 0; round < repeats; round += 1) {
    times.released.push(await mitigate('bmft-released', manifest, options));
    times.robust.push(await mitigate('robust', manifest, options));
    if (python === null) continue;
    const peer = await runPeer(python, options);
    times.method.push(peer.method);
    times.process.push(peer.process);
  }
  return {
    released: median(times.released),
    robust: median(times.robust),
    torchMethod: python === null ? null : median(times.method),
    torchProcess: python === null ? null : median(times.process),
  };
}

async function mitigate(
  preset: string,
  manifest: string,
  { model, folder, threads }: JobOptions,
): Promise<number> {
  const out = path.join(folder, 'run');
  await rm(out, { recursive: true, force: true });
  const columns = ['--image', 'file', '--label', 'label', '--sensitive', 'group', '--subject', 'lesion'];
  const files = ['--manifest', manifest, '--split-column', 'split', '--preprocess', PREPROCESS, '--out', out];
  const { code, seconds } = await runChild(
    typescript(
      CLI,
      ...[
        'mitigate',
        '--model',
        model,
        '--preset',
        preset,
        '--threads',
        String(threads),
        '--quiet',
        '--json',
      ],
      ...columns,
      ...files,
    ),
  );
  // An untrained model need not improve; that the job ran to its end is what counts here.
  if (code !== 0 && code !== EXIT_CODES.NOT_IMPROVED)
    throw new Error(`mitigate --preset ${preset}: exit code ${code}`);
  return seconds;
}

async function runPeer(python: string, { data, folder, threads }: JobOptions) {
  const { code, lines, seconds } = await runChild([
    python,
    ...[PEER, '--data', data, '--scenario', 'artefact', '--arch', 'resnet14', '--epochs', '1'],
    ...['--threads', String(threads), '--out', path.join(folder, 'peer')],
  ]);
  if (code !== 0) throw new Error(`torch_bmft.py: exit code ${code}`);
  const steps = lines.map((line) => JSON.parse(line) as { step: string; total?: number });
  return { method: steps.find(({ step }) => step === 'bmft-seconds')!.total!, process: seconds };
}
