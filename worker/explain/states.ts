import type { TuneInput } from '../tune.ts';
import type { OcclusionResult, Patches } from './occlusion.ts';
import { occlude, patchesOf } from './occlusion.ts';
import type { ProbeSplit, Side } from './probe-rows.ts';
import { probeRows } from './probe-rows.ts';
import type { Pooled, Reading } from './readings.ts';
import { poolOutputs, readingsOf } from './readings.ts';

/** What will be read, and in words what will not. */
export interface Plan {
  readonly feature: string;
  readonly readings: readonly Reading[];
  readonly split: ProbeSplit;
  readonly patches: Patches | null;
  /** By group. */
  readonly covered: readonly (readonly number[])[];
  readonly limits: readonly string[];
}

/** Rows, layers and patches, chosen once for both states of the model. */
export function planOf({ job, parts, random }: TuneInput): Plan {
  const { model, samples, inputs, options } = job;
  const { explain: choices } = options;
  const own = random.fork('explain');
  const readings = readingsOf(model, choices.layers);
  const layers = readingsOf(model, Number.POSITIVE_INFINITY).length;
  const split = probeRows({
    samples,
    sensitiveFeature: job.sensitiveFeature,
    parts,
    most: choices.probeRows,
    random: own.fork('probe'),
  });
  const { measured } = split;
  const covered = split.groupNames.map((name, group) => {
    const rows = measured.rows.filter((_, place) => measured.groups[place] === group);
    return own.fork(`cover ${name}`).shuffle(rows).slice(0, choices.occlusionImages);
  });
  const patches = patchesOf(model, inputs.sampleShape, choices);
  return {
    feature: job.sensitiveFeature,
    readings,
    split,
    patches: covered.flat().length === 0 ? null : patches,
    covered,
    limits: [
      ...(layers > readings.length
        ? [`Activations of ${readings.length} of ${layers} layers were read, spread evenly over the depth.`]
        : []),
      ...split.groupNames.flatMap((name, group) => whyUnmeasured(name, group, split)),
      ...(patches === null ? ['The model reads no images, so none could be covered.'] : []),
    ],
  };
}

function whyUnmeasured(name: string, group: number, { trained, measured }: ProbeSplit): string[] {
  const lacking = [trained, measured].find(({ groups }) => !groups.includes(group));
  if (lacking === undefined) return [];
  return [`Group "${name}" has no rows in ${lacking.part}, so the group cannot be probed.`];
}

/** What is read from the model in one state. */
export interface State {
  readonly trained: ReadonlyMap<string, Pooled>;
  readonly measured: ReadonlyMap<string, Pooled>;
  readonly occlusion: OcclusionResult | null;
}

/** Outputs of layers and logits of covered images, with the model as it stands. */
export async function readState({ job }: TuneInput, plan: Plan, when: 'before' | 'after'): Promise<State> {
  const { model, progress, signal } = job;
  const { readings, split, patches, covered } = plan;
  const outputs = [...new Map(readings.map(({ output }) => [output.name, output])).values()];
  const features = model.bodyOutputs.at(-1);
  if (features !== undefined && !outputs.some(({ name }) => name === features.name)) outputs.push(features);
  progress.start(`explain: layers ${when}`, split.trained.rows.length + split.measured.rows.length);
  const pool = ({ inputs, rows }: Side) =>
    poolOutputs({ model, inputs, rows, outputs, onRows: progress.advance, signal });
  const trained = await pool(split.trained);
  const measured = await pool(split.measured);
  if (patches === null) return { trained, measured, occlusion: null };
  progress.start(`explain: covering ${when}`, covered.flat().length);
  const occlusion = await occlude({
    model,
    inputs: split.measured.inputs,
    patches,
    rowsOf: covered,
    onImage: () => progress.advance(),
    signal,
  });
  return { trained, measured, occlusion };
}
