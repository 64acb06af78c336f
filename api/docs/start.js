/* Starts the API explorer; kept in a file because the page's policy allows no inline script. */
window.addEventListener("load", () => {
  window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#explorer", deepLinking: true });
});
