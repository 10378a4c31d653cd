import type { Classifier } from '../../core/model/classifier.ts';
import type { FoundMask } from '../bmft/find-mask.ts';
import type { Mask } from '../bmft/mask.ts';
import { summarizeMask } from '../bmft/mask.ts';
import { NO_CHECKPOINTS } from '../checkpoints.ts';
import { NO_PROGRESS } from '../progress.ts';
import { search } from '../search/search.ts';
import { HEAD_ONLY } from '../search/share.ts';
import type { ComparedOptions, Method, MethodContext, Proposal } from './method.ts';

/** BMFT as `mitigate --preset robust` runs it. */
export const robust: Method = {
  name: 'robust',
  about:
    'BMFT with the settings of this product: masked weights of the body are tuned, the head is solved anew.',
  source: 'arXiv 2408.06890, docs/method.md',
  expectedEpochs: (options) => 1 + searchEpochs(options),
  propose: async (context) => searchWith(context, await context.masks()),
};

export const headOnly: Method = {
  name: 'head-only',
  about: 'The body stays, the head is solved anew on task and disparity loss.',
  source: 'control: what the head alone can do',
  expectedEpochs: () => 2,
  propose: async ({ judge }) => ({ kind: 'candidates', candidates: await judge.withHeads(HEAD_ONLY) }),
};

export const randomMask: Method = {
  name: 'random-mask',
  about: 'As robust, with as many weights in each tensor, but drawn at random.',
  source: 'control: whether it matters which weights',
  expectedEpochs: (options) => 1 + searchEpochs(options),
  propose: async (context) => searchWith(context, randomMasks(context, await context.masks())),
};

export const allOnesMask: Method = {
  name: 'all-ones-mask',
  about: 'As robust, with every weight of the body in the mask.',
  source: 'control: whether a mask matters at all',
  expectedEpochs: (options) => 1 + searchEpochs(options) / options.mask.percentiles.length,
  propose: async (context) => {
    const mask = { ...context.options.mask, percentiles: context.options.mask.percentiles.slice(0, 1) };
    const once = { ...context, options: { ...context.options, mask } }; // all masks are one
    return searchWith(once, fullMasks(context, await context.masks()));
  },
};

/** Training, and features of both parts at each checkpoint. */
function searchEpochs({ mask, body, selection: { checkpoints } }: ComparedOptions): number {
  const settings = mask.percentiles.length * body.learningRates.length * body.disparityWeights.length;
  return settings * (body.epochs + 1.5 * checkpoints.length);
}

async function searchWith(context: MethodContext, maskAt: MaskAt): Promise<Proposal> {
  const { options, random } = context;
  const known = new Map<number | null, FoundMask>();
  const found = await search({
    ...context,
    ...{ selection: options.selection, head: options.head, checkpoints: NO_CHECKPOINTS },
    options: { ...options, search: null }, // the grid: masks are of one surrogate
    maskOf: ({ percentile }) => {
      const mask = known.get(percentile) ?? maskAt(percentile ?? 0);
      known.set(percentile, mask);
      return mask;
    },
    progress: NO_PROGRESS,
    shards: 1,
    now: () => performance.now(),
    random: random.fork('search'), // that of `mitigate`: batches are the same under every mask
  });
  return { kind: 'searched', ...found };
}

type MaskAt = (percentile: number) => FoundMask;

/** The entries of each mask in random places, tensor by tensor: of equal size, of one seed always the same. */
export function randomMasks({ model, random }: MethodContext, maskAt: MaskAt): MaskAt {
  return (percentile) => {
    const draw = random.fork(`random mask/${percentile}`);
    return replaced(model, maskAt(percentile), (entries, name) =>
      Float32Array.from(draw.fork(name).shuffle(entries)),
    );
  };
}

/** Every weight of the body, none of the head. */
export function fullMasks({ model }: MethodContext, maskAt: MaskAt): MaskAt {
  const body = new Set(model.body.map(({ name }) => name));
  return (percentile) =>
    replaced(model, maskAt(percentile), (entries, name) =>
      new Float32Array(entries.length).fill(body.has(name) ? 1 : 0),
    );
}

function replaced(
  model: Classifier,
  { mask: { values }, summary: { kind, percentile } }: FoundMask,
  entriesOf: (entries: Float32Array, name: string) => Float32Array,
): FoundMask {
  const mask: Mask = {
    values: new Map([...values].map(([name, entries]) => [name, entriesOf(entries, name)])),
    notes: new Map(),
  };
  const body = model.body.map(({ name }) => name);
  return { mask, summary: summarizeMask(mask, body, { kind, percentile, stability: null }) };
}
