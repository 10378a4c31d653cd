export { ceiling } from './ceiling';
export { depthwise } from './depthwise';
export { depthwiseFilterGradient } from './depthwise-filter-gradient';
export { addPartialSums } from './partial-sums';
export { matrixProduct } from './matrix-product';
export { packPanels } from './pack';
