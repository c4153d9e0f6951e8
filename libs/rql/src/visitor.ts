interface Kinded {
  readonly kind: string;
}

/** One function per node kind: a kind that is added to the union and forgotten here does not compile. */
export type Visitor<N extends Kinded, R> = { readonly [K in N['kind']]: (node: Extract<N, { kind: K }>) => R };

/** Calls the visitor's function for the kind of `node`. Descending into members is up to that function. */
export function visit<N extends Kinded, R>(node: N, visitor: Visitor<N, R>): R {
  const handle = visitor[node.kind as N['kind']] as (node: N) => R;
  return handle(node);
}
