import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/**
 * RSA keys for tests at once, and the same every time: products of any two of 24 known primes, so
 * no secret of anybody's. 276 of them; a longer round begins again from the first.
 */
export function tokenKeyPool(): () => Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  let next = 0;
  return async () => keyPair(next++ % PAIRS.length);
}

/** The private key of a pool key that was handed out, by its modulus in base64url. */
export function poolPrivateKey(modulus: string): KeyObject {
  for (const { publicKey, privateKey } of kept.values()) {
    if (publicKey.export({ format: 'jwk' }).n === modulus) return privateKey;
  }
  throw new Error('not a key of the pool');
}

const kept = new Map<number, { publicKey: KeyObject; privateKey: KeyObject }>();

function keyPair(index: number) {
  const known = kept.get(index);
  if (known !== undefined) return known;
  const [p, q] = (PAIRS[index] as readonly [number, number]).map((at) =>
    BigInt(`0x${Buffer.from(PRIMES[at] as string, 'base64url').toString('hex')}`),
  ) as [bigint, bigint];
  const e = 65_537n;
  const number = (value: bigint) => {
    const hex = value.toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString(
      'base64url',
    );
  };
  const privateKey = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      n: number(p * q),
      e: number(e),
      d: number(inverse(e, (p - 1n) * (q - 1n))),
      p: number(p),
      q: number(q),
      dp: number(inverse(e, p - 1n)),
      dq: number(inverse(e, q - 1n)),
      qi: number(inverse(q, p)),
    },
  });
  const pair = { privateKey, publicKey: createPublicKey(privateKey) };
  kept.set(index, pair);
  return pair;
}

/** value⁻¹ mod modulus (Euclid). */
function inverse(value: bigint, modulus: bigint): bigint {
  let [before, remainder] = [modulus, value % modulus];
  let [beforeCoefficient, coefficient] = [0n, 1n];
  while (remainder !== 0n) {
    const quotient = before / remainder;
    [before, remainder] = [remainder, before - quotient * remainder];
    [beforeCoefficient, coefficient] = [coefficient, beforeCoefficient - quotient * coefficient];
  }
  return ((beforeCoefficient % modulus) + modulus) % modulus;
}

/** Primes of 1024 bits with the two highest bits set. */
const PRIMES = [
  '-VhNGlk1XtUwTH30UnrxKpiS3SakCoT6DRkAAzrLJXYi8WLrN3tMgSCrjmo_xOWpcR4OixVX3QiLr9KyCeVDWtdRXLYr4mqr8TXFIr1F85CUqHZRBfdw1rSk8lTw5ukejNs7Har2Fd3DAw-geozeowpdFWo1oX_0VT6eqI4e6Lk',
  'yHncHfwZqZneVDYm6LSCM2-O7yKCMoy2TriDTWuwYxGZZhnpqvsJ8kvj4yrr2TTWlKiZH0T6OLDixzqyDp_jHfG2mD7acmi9s_q-aDNB_2WW9eGcOnzL-hQcI69AqVXTFW4vrK8WsCACAJ0p_2oPBb8iwHQ2UFkrsFLp17wKlgE',
  '8uGGjoa5SvKQI6m5hGuk_UD7r9NyB6KA-haZEtjzgnbmRAGNb2vjdKJaU1ecpKRD7Ygp5vA7jAsqXBNOWwaBtZMA9SsEcXSj36qHY4gGZSP-ruN5TxQ5-IqZZc5VM6v11eCleJOC5J0P3krCxwubVMLrSdoWSygo9DEcZcItWrM',
  'xHJl3dEjhn2294ViK6h32UdtYtYDjcxH7qxlRYNlu-Cjh32wQ3K72PgQnNAoWGSjiM16GOHRHBext1xHvJNlrpiEkANxXuvFyUoCRHg08iP1Hr6sKoQLBU573BQxfJdoBf5zXl5qDh2H5TnYmt5Y0PyblcDlEQg2suM6xZGK938',
  'xIEc2iPAhUVpo8DAAhZyp1vgl8DMDn9qJj2liiz9qLn3ar7DOQN2Omj9ii324HdId9PDAwcJgMC8cRVkxt8ReRAcHyMUva6frB5koDw3VWW1n8End6xs2qGbmsRsLj4ME3hNWxhMyXLL_MqvAj9lUbpPSquXBlK7lDt3TcAVP9s',
  '_hfpNsK58yFDi3scDDwgQzJ4uwQ3eP2Nj_XqJWtzRQIh5sq3SocF04jsqnSnOFsCGP-s8QBZdNiZaut_sJN9lRq2ZrzC1bq-bJ1E8BJtT3MTq2E5OKo06FMgfJUCU2GaI0LwRGHyF4MfYNACQXoAe7JSnqJSBK153Td7u1KQjuE',
  '7YCQHEP54dHmE3HGR6c71Pz2pj4SxeUYfu7jeYxAIFaCakbyR42k_iwzDPAzLJbS3sUW7R7M-SqptbZOiPTZJFuCEB89h7zk1428oLey1Otq_NXfI6WwjfS8kMamDpQV-73rS-z5qC5WezCI5Q_zBKxWXUJLGEhHv2FaozCAEz8',
  '0-s52MehOIfKtVe4Ks_fi0SEXU2XDHIQWxuAFqR14HBbKtqiZ_8nI7IYwTL18MgDM7xUOAHZNvH1gB3QgKyFazhwy178pXN6AJzVnhrt56HYBLymfTOI8vEaOmBPDhgf4zyZkL6SX2lQqLlfkrfVKx-ZUHgNYvo27-4TmCsH04E',
  '90h-9qsHqoxf5Hn8Rpl1DBj_Cv0kQQrFfyaLkwy8T2OzQu9NXQKt9BE2avmInRoMqiNPoIlqMih6j9zsGwbfkHMl6cZGhpFCOvPXU4IUv1NoT9hBRTKnuVOdtYWb7C8yqc0qrNwzUdElJWPEC90S4OxugSJmgNy0-aa2ydoQELE',
  '_bC2x8l9lGJN_yGMFbqpRqTpSytWZtnnp_P1w73uu2UGyHwd9VCOy4EGyYz8mDBg8D_PXTgSTu5g2ZayH-n_sFbu1CpELfF85s3l1mDtUPMfdZv49kNElV1AX4dTX7Z3t8tMFoiNVYtS42w9zr-fQk2RqBB_L84Ofzczrzy2m9M',
  '4YKEUy2VSRjvfyqRznAZsz2QqkBjGDRANv36mKd-fMR2fT7VrLjTWJMX9DnkZE9uldb5K-J4fxxJ-bLg5dVGIwP2Y7MHLoPcqrgdfkxXVbV_vUbliyWflhd8WOuqQ3FuGTCrNyuXWDSvUwzf0IC5BQcDUDIfrx-USVvVni6t04U',
  'zFa0sx6IjJOl8f5_3bchWrSGpV0Urcq4a9R9CPkGejtk6J1eAjmBtjL24JzFsrhw4VtD69UscgpYm9W9ipJQ_LuUT0njgj7BPJ2LaGVCkuUuf8amCL_urieQcriO-iN3zVKpY1jjI4B030p7FnX2lSoLUEiznRKSfMVgebs3zJk',
  '4MDCdL3CzM64FIUKdMYxVSkn4VNLoGqcjedCiHLrpGu_KLUAJfe9oMMG9vY-Qc3urtwnfJYXBX2xLlWJagsKFJyLw05ZEPjTycok73LfRn2278d9I7ugSn91nYQ_HImdo77W7KRlOr_phx-Y6DlfA_kKOlj3wBsokQwmwKKHC7M',
  '2PyBFG0Itjq2TuXXSjmN3qEHpVn_sdNKJoSxsP10RYKUIPl-KSfrOkp7PzNj21ObVZcapoIblu2QzZmvFeK8IroODB-rzICr2gDe929JEQafRLGxUyZFuxThmXfFQt22bYl5w0VZaIbABIh80y4iY7d5WVq599mCAToIfU_ZZtE',
  '7URhMFLMw_FSULbo71LbJoTyozjAa2yN7O4j1P6SHaERWlVXL0ql9eECOPSrt_HaxG-WyFhCqwUVfLqSX1H_Ga_Ha9qfqJSawJlek7QIulyImi445cQ5Cri00q9gxmv6JNS5T7b8L37XvNV0j1zuaG48fr8AlFizJuuGCMcdbNs',
  'y8tPquo_4D-IX9Emw8IqC43Gl8PaSGLvY8u540Q9OqAAFWtBpplM7I3vnkkCQ-x163OaZjre8rPKKtDjDq1ICwYsZiED3siaQxNTaXlHNmfsn_miQcM7L-q5HYIFmn1GEYaIqA6C0nNQxclyHgqsqZ_MLxvG_ItyNjnOhIyVAFM',
  'yl1aVG370hfpQr5vt3YbKvQGnxIKVYxypNioeiu1XsBFb2V2W8zs9xHjxY5ip16v5qrngEM4xmDYDuUe0WxUmy-E-mR3xtT2keL0SLfKfOzq3mqr2LzM08BaLS4fcF4lDeHevrZ7h16b3Y1Nc1Xz1ButLwM6d3g07D2iKee1VAE',
  'waC8xsjKgCwBR-xe20qrwvaxG04huylY_KiSnuLkSaPo4l2v_wO_QcbOP_5l3bu2hxlEdnX08376IvT506XV53iUachcGoBukVSWa95-IyZoq4iFcc78teCXpuu9XhHoVq_2TzwjWiw6XxJZeEiWHgqoEoyyV5B_hH3f4dWLYdM',
  '2_U_w8IccJslg4VNl3eCd61JV7m9LTkhL7p0AZiOMriZ6aFfqYf0-SPn_p9BsrLt9dNKCFxY4WWFgBStOioQqbTTHa3iCW6YXBeeeQaYAWIxBOFLVR3OXD8JudsC98TZlnuWJok06nvZTPm85-e0IqXMoH5kjvDVh2P8UpyXY9M',
  '-asNiAoQl18ViZdxNjVeZDTZKcKAMV7Gry4UmDkRs3iWJ6uy8KvPosXE7ykTkhg8blVnbfBfTngx3EeB45JR9rrohQBgHHhwtj4oFAruqJsRgHHBF6kR-_z4nzIksTfjIPljYX2wO9qOsDex7SVP34BQTP6zmgUSBWuFejiBP-0',
  '1vBERkN5fhCW8mUU7CAlEeMOuzBjbdBUCo8q_CySrHzhLWFhv3GPS0DOYe1oigp08U_iE1PPnENfnYVaOum64HxZUo8B9O9TzMPFG1hVDrEqD0qKABMXIvr66ctyykRvbOad1W3JHTKwsurqnQJws-BXAE4pu3u98EOOUDkG5yc',
  '7IlLXkwN2p1urQKU-HpWhkTWJEY9ES4AGhIsLAmi0DX4yZvJ_flk5HglMCyiqfSZHbNp9cRt0nbRtSqkXhOBnmvWqVYO1xbQuONHsYeOKyhsWO8f8dts6yAMKC00zS_Yg3-XwU7XH0zLwBsR8luZ7oSydipbAe-ZrbnwkHp5Ht0',
  '5PbkBdWahpiuuPOq1T423FikxbWQDlFH6A_HNmPJhtIWNmnghCSo8T7brhG41plD5m9-cz7LEG7cWImPlNrbthpUdRk7KYvfwHNpRzvEzt89vhLagg7VhgOosq80PF4VZBTVtYLQ4eqTQGs-_AKtfNqqa8FZQr7TqDHgsfXywTU',
  '_0FfKin2Damlfb-1tlLqCKw_fGS9XYaTqJd31HA5z2yk92LpEIjN-zrUc1b1aZHa1__D91qH-aiS4AxFY8uqitCNFlpTx4b5YlwqYEv0mZgEfWQFadjzyS3W5MPVFg-oN2gLR7ndOuepwZq1cTpitKdGv3QARALVJCRCO75Cohc',
];

const PAIRS = PRIMES.flatMap((_, p) =>
  Array.from({ length: p }, (_, q): readonly [number, number] => [p, q]),
);
