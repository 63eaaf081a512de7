interface Window {
  /** The configuration that DataBrain's component reads. */
  dbn: { baseUrl: string, proxyAuthKey: string, proxyAuthUrl?: string, isEnableProxyAuth?: boolean }
}
