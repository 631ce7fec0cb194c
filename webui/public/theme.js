// Sets light or dark before anything is painted. A file of its own, since inline scripts are not allowed here.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("dose.theme");
  } catch {
    // Storage is switched off: follow the system.
  }
  var dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
})();
