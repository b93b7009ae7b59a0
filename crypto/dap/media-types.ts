/** The `Content-Type` of each message (DAP §Protocol Message Media Type). */
export const MEDIA_TYPE = {
  hpkeConfigList: 'application/ppm-dap;message=hpke-config-list',
  uploadRequest: 'application/ppm-dap;message=upload-req',
  uploadErrors: 'application/ppm-dap;message=upload-errors',
  aggregationJobInitReq: 'application/ppm-dap;message=aggregation-job-init-req',
  aggregationJobResp: 'application/ppm-dap;message=aggregation-job-resp',
  aggregateShareReq: 'application/ppm-dap;message=aggregate-share-req',
  aggregateShare: 'application/ppm-dap;message=aggregate-share',
  collectionJobReq: 'application/ppm-dap;message=collection-job-req',
  collectionJobResp: 'application/ppm-dap;message=collection-job-resp',
} as const;

/** Any of them. */
export type MediaType = (typeof MEDIA_TYPE)[keyof typeof MEDIA_TYPE];
