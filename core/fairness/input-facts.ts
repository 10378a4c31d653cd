/** How the values of a numeric feature became groups. */
export interface BinFacts {
  readonly sensitiveFeature: string;
  readonly rule: 'edges' | 'quantiles';
  /** Ascending; a group begins at each and ends before the next. */
  readonly edges: readonly number[];
  /** false where quantiles are of values rounded to five digits, since there were too many distinct ones */
  readonly isExact: boolean;
}

/** How rows found sensitive features in a second table. */
export interface JoinFacts {
  /** Column with the identifier. */
  readonly id: string;
  /** Rows that were audited or left to other splits. */
  readonly matched: number;
  readonly unmatched: number;
  /** Rows of the second table that repeat an identifier with the same values, and with others. */
  readonly duplicate: number;
  readonly conflicting: number;
  /** Identifiers of the second table that no row has. */
  readonly unused: number;
}

/** How the rows of an audit were read. */
export interface InputFacts {
  /** Rows of the table. */
  readonly rows: number;
  /** Rows that were audited: those of the split asked for. */
  readonly audited: number;
  /** Rows without a value, of each sensitive feature that has some; they are the group `(missing)`. */
  readonly missing: readonly { readonly sensitiveFeature: string; readonly rows: number }[];
  readonly bins: readonly BinFacts[];
  readonly join?: JoinFacts;
}
