import type { Express } from 'express';
import { fromBase64url } from '../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { encodeHpkeConfigList } from '../../crypto/dap/upload.ts';
import { HPKE_SUITE } from '../../crypto/hpke.ts';
import type { ManifestKey } from '../../crypto/manifest.ts';
import { Refusal } from './refusal.ts';

/**
 * DAP §HPKE Configuration Request: a party's input keys of the rounds that are open. Our own page
 * takes keys from the signed manifest alone.
 */
export function hpkeConfigRoute(app: Express, openKeys: () => readonly ManifestKey[]): void {
  app.get('/hpke_config', (_request, response) => {
    const configs = openKeys().map(({ config_id, public_key }) => ({
      id: config_id,
      kemId: HPKE_SUITE.kem,
      kdfId: HPKE_SUITE.kdf,
      aeadId: HPKE_SUITE.aead,
      publicKey: fromBase64url(public_key),
    }));
    if (configs.length === 0) throw new Refusal('notYet', 'no round is open');
    response.type(MEDIA_TYPE.hpkeConfigList).send(Buffer.from(encodeHpkeConfigList(configs)));
  });
}
