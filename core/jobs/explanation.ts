/** How much of a sum over all weights that the mask is about lies in a part of them, in [0, 1]. */
export interface Mass {
  /** Share of the sum that the part holds. */
  readonly held: number;
  /** Share of the sum that the masked weights of the part hold; a soft mask counts each weight by its entry. */
  readonly masked: number;
}

/** Some weights of the body: a layer, a block, a kind of weight, or all of them. */
export interface MaskPart {
  readonly name: string;
  readonly weights: number;
  /** Weights in the mask; for a soft mask, the sum of its entries. */
  readonly selected: number;
  /** Of the disparity importance, Σ (∂L_disparity/∂w)²; null where it is 0 everywhere. */
  readonly disparityMass: Mass | null;
  /** Of the task importance, Σ (∂L_task/∂w)²; null where it is 0 everywhere. */
  readonly taskMass: Mass | null;
  /** Share of the squared change of all weights, Σ (after - before)²; null where none was tuned. */
  readonly change: number | null;
}

export interface Composition {
  readonly total: MaskPart;
  /** In forward order, by the layers' names. */
  readonly layers: readonly MaskPart[];
  /** Residual blocks and stages as the layers' names spell them. */
  readonly blocks: readonly MaskPart[];
  /** `kernel`, `depthwise kernel`, `dense kernel`, `bias`, `norm scale`, `norm offset`, `other`. */
  readonly kinds: readonly MaskPart[];
}

/** Jaccard overlap of two masks, and what two random masks of these sizes would share on average. */
interface Overlap {
  /** Null where both masks are empty. */
  readonly overlap: number | null;
  /** Null for soft masks, which have no size. */
  readonly chance: number | null;
}

interface LayerOverlap extends Overlap {
  readonly parameter: string;
}

/** The mask of the run against one that was found in another way. */
export interface MaskComparison extends Overlap {
  readonly kind: 'halves' | 'seed' | 'batch size';
  /** What differs, e.g. `draw 1`, `32 samples a batch`. */
  readonly differs: string;
  /** By chance when the masks also have the sizes that they have in each tensor; null for soft masks. */
  readonly chanceWithinTensors: number | null;
  readonly layers: readonly LayerOverlap[];
}

/** Images in which a channel fires most, by group. Which images they are is not recorded. */
export interface Firing {
  readonly group: string;
  readonly images: number;
  /** As many as there would be if the channel did not depend on the group. */
  readonly expected: number;
}

export interface MaskedChannel {
  /** Index of the output channel. */
  readonly channel: number;
  readonly weights: number;
  readonly selected: number;
  /** Share of the layer's disparity importance that the channel's masked weights hold; null where it is 0. */
  readonly disparityMass: number | null;
  /** Null where the layer was not read (see `limits`). */
  readonly firing: { readonly before: readonly Firing[]; readonly after: readonly Firing[] | null } | null;
}

export interface LayerChannels {
  readonly layer: string;
  readonly parameter: string;
  readonly channels: number;
  /** By disparity mass, largest first. */
  readonly top: readonly MaskedChannel[];
}

/** AUC in [0, 1] with its 95 % interval. */
export interface ProbeFigure {
  readonly auc: number;
  readonly low: number;
  readonly high: number;
}

export interface ProbeResult {
  readonly before: ProbeFigure | null;
  readonly after: ProbeFigure | null;
  /** AUC after less AUC before on the same rows, with its 95 % interval; null where one of them is. */
  readonly change: { readonly value: number; readonly low: number; readonly high: number } | null;
}

/** How well a linear probe reads the sensitive feature, and the label, from one layer. Null where a class is absent. */
export interface LayerProbe {
  readonly layer: string;
  /** Numbers that the probe reads: mean and maximum of each channel, or the features themselves. */
  readonly width: number;
  readonly attribute: ProbeResult;
  /**
   * The same probe trained on permuted groups and measured on permuted ones, which nothing can read (a control task,
   * Hewitt and Liang, 2019): about 0.5, or rows of the two sides depend on each other.
   */
  readonly control: ProbeResult;
  /** AUC of the control on the rows that it was trained on: how much the probe can learn by heart. */
  readonly memorised: { readonly before: number | null; readonly after: number | null };
  readonly label: ProbeResult;
}

export interface Probes {
  readonly trainedOn: { readonly part: string; readonly rows: number };
  /** One row of each subject, so that rows are independent. */
  readonly measuredOn: { readonly part: string; readonly rows: number };
  readonly layers: readonly LayerProbe[];
}

/** Mean change of the logit over images when the patch at a place is covered, by place: rows from the top. */
export type OcclusionGrid = readonly (readonly number[])[];

export interface OcclusionMap {
  readonly group: string;
  readonly images: number;
  /** logit(image) - logit(covered): above 0 where the place raises the logit. */
  readonly before: OcclusionGrid;
  readonly after: OcclusionGrid | null;
}

export interface Occlusion {
  /** Of an image, in pixels. */
  readonly height: number;
  readonly width: number;
  readonly patch: { readonly height: number; readonly width: number };
  /** Upper edges of the patches, and their left edges, in pixels. */
  readonly tops: readonly number[];
  readonly lefts: readonly number[];
  /** Standard deviation of the logits over these images: the scale on which two models can be compared. */
  readonly logitDeviation: { readonly before: number; readonly after: number | null };
  readonly maps: readonly OcclusionMap[];
}

/** Content of `explanation.json`: what the mask is made of, how sure it is and what it changed. Counts, no images. */
export interface Explanation {
  readonly schemaVersion: 1;
  readonly sensitiveFeature: string;
  readonly groups: readonly string[];
  /** False when the chosen candidate left the body alone: the mask was found, but nothing was tuned by it. */
  readonly isApplied: boolean;
  /** Whether there are figures after: a candidate was chosen. */
  readonly isTuned: boolean;
  readonly composition: Composition;
  readonly stability: readonly MaskComparison[];
  readonly channels: readonly LayerChannels[];
  /** Null where the model's layers cannot be read. */
  readonly probes: Probes | null;
  /** Null for models that read no images. */
  readonly occlusion: Occlusion | null;
  /** What was left out to bound the cost; one sentence each. */
  readonly limits: readonly string[];
}
