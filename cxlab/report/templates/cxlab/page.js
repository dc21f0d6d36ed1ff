(function () {
  "use strict";
  var root = document.documentElement, code = document.getElementById("cx-code");
  if (code) {
    code.hidden = false;
    code.addEventListener("click", function () {
      var on = root.classList.toggle("cx-shown");
      code.setAttribute("aria-pressed", String(on));
      document.querySelectorAll("details.cx-dev").forEach(function (d) { d.open = on; });
    });
  }
  // On paper every table is open; afterwards each is as it was.
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details.cx-data").forEach(function (d) { d.dataset.was = d.open; d.open = true; });
  });
  addEventListener("afterprint", function () {
    document.querySelectorAll("details.cx-data").forEach(function (d) { d.open = d.dataset.was === "true"; });
  });
  var links = {};
  document.querySelectorAll(".cx-side a[href^='#']").forEach(function (a) { links[a.hash.slice(1)] = a; });
  if ("IntersectionObserver" in window && Object.keys(links).length) {
    var spy = new IntersectionObserver(function (seen) {
      seen.forEach(function (e) {
        var a = links[e.target.id];
        if (e.isIntersecting && a) {
          Object.keys(links).forEach(function (k) { links[k].removeAttribute("aria-current"); });
          a.setAttribute("aria-current", "true");
        }
      });
    }, { rootMargin: "0px 0px -70% 0px" });
    Object.keys(links).forEach(function (k) { var h = document.getElementById(decodeURIComponent(k)); if (h) { spy.observe(h); } });
  }
})();
