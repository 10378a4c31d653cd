import { setImmediate } from 'node:timers/promises';
import { InterruptedError } from '../../core/errors.ts';
import type { LayerProbe, ProbeResult } from '../../core/jobs/explanation.ts';
import type { Random } from '../random.ts';
import type { Measured } from './probe.ts';
import { fitClasses, probeChange, probeFigure } from './probe.ts';
import type { Pooled } from './readings.ts';

/** What rows are of: their group and their label. */
interface Truth {
  /** [N] from 0 */
  readonly groups: readonly number[];
  /** [N] 0 or 1 */
  readonly labels: readonly number[];
}

/** Outputs of one layer over the rows of both sides. */
interface SideOutputs {
  readonly trained: Pooled;
  readonly measured: Pooled;
}

export interface ProbeInput {
  readonly layer: string;
  readonly before: SideOutputs;
  readonly after: SideOutputs | null;
  readonly trained: Truth;
  readonly measured: Truth;
  readonly groups: number;
  readonly ridge: number;
  /** The same for every layer, so that layers meet the same permutation. */
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
}

/** How well the group, permuted groups and the label can be read from a layer, before and after. */
export async function probeLayer(input: ProbeInput): Promise<LayerProbe> {
  const { layer, before, trained, measured, groups, random } = input;
  const probe = async (classes: Classes) => {
    await setImmediate(); // lets Ctrl-C and the progress bar through
    if (input.signal?.aborted) throw new InterruptedError('the explanation was stopped');
    return probeBoth(input, classes);
  };
  const attribute = await probe({ trained: trained.groups, measured: measured.groups, count: groups });
  const control = await probe({
    trained: random.fork('control').shuffle(trained.groups),
    measured: random.fork('control measured').shuffle(measured.groups),
    count: groups,
  });
  const label = await probe({ trained: trained.labels, measured: measured.labels, count: 2 });
  return {
    layer,
    width: widthOf(before.trained),
    attribute: attribute.result,
    control: control.result,
    memorised: control.learnt,
    label: label.result,
  };
}

interface Classes {
  readonly trained: readonly number[];
  readonly measured: readonly number[];
  readonly count: number;
}

interface Probed {
  readonly result: ProbeResult;
  /** AUC on the rows that the probe was trained on. */
  readonly learnt: LayerProbe['memorised'];
}

const NOT_MEASURED: Probed = {
  result: { before: null, after: null, change: null },
  learnt: { before: null, after: null },
};

function probeBoth({ before, after, ridge }: ProbeInput, classes: Classes): Probed {
  const { count, trained, measured } = classes;
  if (!hasAll(trained, count) || !hasAll(measured, count)) return NOT_MEASURED;
  const measure = (outputs: SideOutputs) => {
    const own = valuesOf(outputs.trained);
    const rows = { values: own, width: widthOf(outputs.trained), classes: trained };
    const probes = fitClasses(rows, { count, ridge });
    const on = (values: Float32Array, truth: readonly number[]): Measured => ({
      scores: probes.map((probe) => probe(values)),
      classes: truth,
    });
    return {
      measured: on(valuesOf(outputs.measured), measured),
      learnt: probeFigure(on(own, trained))?.auc ?? null,
    };
  };
  const first = measure(before);
  const second = after && measure(after);
  return {
    result: {
      before: probeFigure(first.measured),
      after: second && probeFigure(second.measured),
      change: second && probeChange(first.measured, second.measured),
    },
    learnt: { before: first.learnt, after: second === null ? null : second.learnt },
  };
}

function hasAll(classes: readonly number[], count: number): boolean {
  return new Set(classes).size === count;
}

function widthOf({ channels, max }: Pooled): number {
  return max === null ? channels : 2 * channels;
}

/** [N · W]: the means of a row, then its maxima. */
function valuesOf(pooled: Pooled): Float32Array {
  const { channels, mean, max } = pooled;
  if (max === null) return mean;
  const values = new Float32Array(2 * mean.length);
  for (let start = 0; start < mean.length; start += channels) {
    values.set(mean.subarray(start, start + channels), 2 * start);
    values.set(max.subarray(start, start + channels), 2 * start + channels);
  }
  return values;
}
