// Embeds the dashboard that the page names. The SDK posts to `/authorize` with the cookie of the user.
/* global BoldBI */
const { serverUrl, dashboardId } = document.body.dataset

BoldBI.create({
  serverUrl,
  dashboardId,
  embedContainerId: 'dashboard',
  embedType: BoldBI.EmbedType.Component,
  environment: BoldBI.Environment.Enterprise,
  mode: BoldBI.Mode.View,
  expirationTime: 86_400,
  authorizationServer: { url: `${window.location.origin}/authorize` }
}).loadDashboard()
