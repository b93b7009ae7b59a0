import fc from 'fast-check';

// A mutant is killed by the first counterexample; looking for the smallest one only costs time.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
