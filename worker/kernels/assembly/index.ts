export { ceiling } from './ceiling';
export { joinMoments, momentsOfPieces, normalize, normalizeGradient, normalizeSums } from './batch-norm';
export { addPairs, addToRows, clip, clipGradient, multiplyPairs, multiplyRows, scale } from './elementwise';
export { addPieces, columnSums, spreadRows } from './reduction';
export { depthwise } from './depthwise';
export { depthwiseFilterGradient } from './depthwise-filter-gradient';
export { addPartialSums } from './partial-sums';
export { matrixProduct } from './matrix-product';
export { packPanels } from './pack';
