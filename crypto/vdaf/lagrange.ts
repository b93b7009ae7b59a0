import type { Field } from './field.ts';

/** t^n for n a power of two, by squaring. Elements in and out. */
export function powerOfTwoPower(field: Field, t: bigint, n: number): bigint {
  let power = t;
  for (let reached = 1; reached < n; reached *= 2) power = field.mul(power, power);
  return power;
}

/**
 * The Lagrange basis at `t` over the n-th roots of unity: the ℓ_0(t), …, ℓ_(n−1)(t) for which
 * f(t) = Σ f(ω^k)·ℓ_k(t) whenever deg f < n (VDAF §Lagrange Basis). n a power of two.
 *
 * Summing the geometric series ℓ_k(t) = (1/n)·Σ_(i<n) (t·ω^−k)^i as a product,
 * ℓ_k(t) = (1/n)·Π_s (1 + (t·ω^−k)^(2^s)), needs no inversion and no special case for a t that is
 * itself a root; and the factor of s depends on k modulo n/2^s only, so the products form a tree.
 *
 * Returns representatives, no more than log2(n) bits longer than elements.
 */
export function lagrangeBasis(field: Field, n: number, t: bigint): bigint[] {
  const squares = [t];
  for (let reached = 2; reached < n; reached *= 2) {
    const last = squares[squares.length - 1] as bigint;
    squares.push(field.mul(last, last));
  }
  const roots = field.roots(n);
  let basis = [field.inverseOfPowerOfTwo(n)];
  for (let size = 1; size < n; size *= 2) {
    const point = squares.pop() as bigint;
    const next = new Array<bigint>(2 * size);
    for (let k = 0; k < size; k++) {
      const parent = basis[k] as bigint;
      // For the root ω of order 2·size, ω^−k = −ω^(size−k), and ω^−(k+size) = −ω^−k.
      const turned = k === 0 ? point : -point * (roots[(size - k) * (n / (2 * size))] as bigint);
      const term = field.mul(parent, turned);
      next[k] = parent + term;
      next[k + size] = parent - term;
    }
    basis = next;
  }
  return basis;
}

/**
 * f(t), given the values of f at all n-th roots of unity (deg f < n), t^p and the Lagrange basis at
 * t over the p-th roots, where p divides n.
 *
 * The n-th roots are n/p cosets of the p-th roots, and ℓ⁽ⁿ⁾ at index (n/p)·k + c is
 * ℓ⁽ⁿᐟᵖ⁾_c(t^p)·ℓ⁽ᵖ⁾_k(t·ω^−c): smaller bases, of which the first is already known.
 */
export function evaluateByCosets(
  field: Field,
  values: readonly bigint[],
  t: bigint,
  tToP: bigint,
  basis: readonly bigint[],
): bigint {
  const p = basis.length;
  const cosets = values.length / p;
  const roots = field.roots(values.length);
  const outer = lagrangeBasis(field, cosets, tToP);
  let sum = 0n;
  for (let c = 0; c < cosets; c++) {
    const inner =
      c === 0 ? basis : lagrangeBasis(field, p, field.mul(t, roots[values.length - c] as bigint));
    let part = 0n;
    for (let k = 0; k < p; k++) part += (values[k * cosets + c] as bigint) * (inner[k] as bigint);
    sum += field.reduce(part) * (outer[c] as bigint);
  }
  return field.reduce(sum);
}

/**
 * How the values of a polynomial of degree < m at the first m of the n-th roots of unity determine
 * those at the other n − m: row r holds the m weights of the value at ω^(m+r). m ≤ n ≤ 2·m.
 *
 * With R(x) = Π_(m≤k<n) (x − ω^k), the weight of f(ω^i) in f(ω^k) is
 * ω^i·R(ω^i) / (ω^k·R′(ω^k)·(ω^k − ω^i)); for one missing value that is −ω^(i+1).
 */
export function extensionWeights(field: Field, m: number, n: number): bigint[][] {
  const roots = field.roots(n);
  const product = (at: number, skip: number) => {
    let value = 1n;
    for (let k = m; k < n; k++) {
      if (k !== skip) value = field.mul(value, (roots[at] as bigint) - (roots[k] as bigint));
    }
    return value;
  };
  const numerators = Array.from({ length: m }, (_, i) =>
    field.mul(roots[i] as bigint, product(i, -1)),
  );
  const rows: bigint[][] = [];
  for (let k = m; k < n; k++) {
    const root = roots[k] as bigint;
    const scale = field.mul(root, product(k, k));
    rows.push(
      numerators.map((numerator, i) =>
        field.mul(numerator, field.inverse(scale * (root - (roots[i] as bigint)))),
      ),
    );
  }
  return rows;
}
