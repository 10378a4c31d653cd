import type { Composition, MaskPart, Mass } from '../../core/jobs/explanation.ts';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import type { Importance } from '../bmft/importance.ts';
import type { Mask } from '../bmft/mask.ts';
import type { Snapshot } from '../search/snapshot.ts';
import { blocksOf, kindsOf } from './weight-parts.ts';

export interface CompositionInput {
  readonly model: Classifier;
  /** What the mask is about: weights of the body, for a soft mask those of the head too. */
  readonly parameters: readonly Parameter[];
  readonly mask: Mask;
  readonly disparity: Importance;
  readonly task: Importance;
  readonly before: Snapshot;
  /** Null where nothing was tuned. */
  readonly after: Snapshot | null;
}

/** Sums over some weights. */
interface Sums {
  weights: number;
  selected: number;
  disparity: Held;
  task: Held;
  change: number;
}

interface Held {
  held: number;
  masked: number;
}

/**
 * What the mask is made of, by layer, block and kind of weight: its share of the weights, of both importances
 * (squared gradients, which unlike the ranks that select keep their size) and of the change that tuning made.
 */
export function compose(input: CompositionInput): Composition {
  const sums = new Map(input.parameters.map((parameter) => [parameter, sumsOf(parameter, input)]));
  const total = addUp([...sums.values()]);
  const toPart = partOf(total, input.after !== null);
  const by = (nameOf: (parameter: Parameter) => string) => {
    const groups = new Map<string, Sums[]>();
    for (const [parameter, own] of sums) {
      const name = nameOf(parameter);
      groups.set(name, [...(groups.get(name) ?? []), own]);
    }
    return [...groups].map(([name, members]) => toPart(name, addUp(members)));
  };
  const blocks = blocksOf(input.model);
  const kinds = kindsOf(input.model);
  return {
    total: toPart('all', total),
    layers: by(({ layer }) => layer),
    blocks: by(({ layer }) => blocks.get(layer) ?? layer),
    kinds: by(({ name }) => kinds.get(name) ?? 'head'),
  };
}

function sumsOf({ name }: Parameter, { mask, disparity, task, before, after }: CompositionInput): Sums {
  const entries = mask.values.get(name)!;
  const held = (importance: Importance) => {
    const sum = { held: 0, masked: 0 };
    importance.get(name)!.forEach((value, place) => {
      sum.held += value;
      sum.masked += value * entries[place]!;
    });
    return sum;
  };
  const from = before.get(name)!;
  const to = after?.get(name);
  return {
    weights: entries.length,
    selected: entries.reduce((sum, entry) => sum + entry, 0),
    disparity: held(disparity),
    task: held(task),
    change: to === undefined ? 0 : from.reduce((sum, value, place) => sum + (to[place]! - value) ** 2, 0),
  };
}

function addUp(all: readonly Sums[]): Sums {
  const total: Sums = {
    weights: 0,
    selected: 0,
    disparity: { held: 0, masked: 0 },
    task: { held: 0, masked: 0 },
    change: 0,
  };
  for (const { weights, selected, disparity, task, change } of all) {
    total.weights += weights;
    total.selected += selected;
    total.disparity.held += disparity.held;
    total.disparity.masked += disparity.masked;
    total.task.held += task.held;
    total.task.masked += task.masked;
    total.change += change;
  }
  return total;
}

function partOf(total: Sums, isTuned: boolean): (name: string, own: Sums) => MaskPart {
  const mass = (own: Held, whole: Held): Mass | null =>
    whole.held === 0 ? null : { held: own.held / whole.held, masked: own.masked / whole.held };
  return (name, own) => ({
    name,
    weights: own.weights,
    selected: own.selected,
    disparityMass: mass(own.disparity, total.disparity),
    taskMass: mass(own.task, total.task),
    change: !isTuned || total.change === 0 ? null : own.change / total.change,
  });
}
