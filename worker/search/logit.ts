export function logit(score: number): number {
  return Math.log(score / (1 - score));
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
