interface Dashboard {
  loadDashboard (): void
}

/** Defined by the embed SDK. */
declare const BoldBI: {
  create (options: object): Dashboard
  EmbedType: { Component: string }
  Environment: { Enterprise: string }
  Mode: { View: string }
}
