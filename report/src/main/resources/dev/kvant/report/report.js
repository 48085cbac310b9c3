"use strict";
(() => {
  const table = document.getElementById("modules");
  // The table of modules: sorted by a column, filtered by text and by state.

  if (table) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, index) => ({
      row,
      index,
      text: row.textContent.toLowerCase(),
      state: row.dataset.state,
    }));
    const order = new Intl.Collator("en", { numeric: true });
    const headers = [...table.tHead.rows[0].cells];

    const key = (entry, column) => {
      const cell = entry.row.cells[column];
      const value = cell.dataset.v;
      if (value === undefined) {
        return cell.textContent;
      }
      return value === "" ? null : Number(value);
    };

    const compare = (a, b) => (typeof a === "number" ? a - b || 0 : order.compare(a, b));

    const sort = (column, ascending) => {
      const keyed = rows.map((entry) => [key(entry, column), entry]);
      keyed.sort(([a, one], [b, other]) => {
        if (a === null || b === null) {
          // What is unknown comes last in both directions.
          return (a === null) - (b === null) || one.index - other.index;
        }
        return (ascending ? compare(a, b) : compare(b, a)) || one.index - other.index;
      });
      body.append(...keyed.map(([, entry]) => entry.row));
      headers.forEach((header, index) => {
        if (header.hasAttribute("aria-sort")) {
          const direction = ascending ? "ascending" : "descending";
          header.setAttribute("aria-sort", index === column ? direction : "none");
        }
      });
    };

    headers.forEach((header, column) => {
      const button = header.querySelector("button");
      if (button) {
        button.disabled = false;
        button.addEventListener("click", () =>
          sort(column, header.getAttribute("aria-sort") !== "ascending"));
      }
    });

    const controls = document.getElementById("controls");
    const text = document.getElementById("filter");
    const state = document.getElementById("state");
    const count = document.getElementById("count");

    const filter = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const entry of rows) {
        const fits =
          (state.value === "" || entry.state === state.value) &&
          words.every((word) => entry.text.includes(word));
        entry.row.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      count.textContent = `${shown} of ${rows.length} modules`;
    };

    text.addEventListener("input", filter);
    state.addEventListener("change", filter);
    controls.hidden = false;
    filter();
  }

  // The plots. The tables have the same numbers.

  const data = JSON.parse(document.getElementById("data").textContent);
  const drawn = [];

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const bytes = (value) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
  };

  const axis = (more) => ({
    stroke: color("--quiet"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    border: { show: false },
    ...more,
  });

  const baseline = (more) => axis({ grid: { show: false }, size: 30, ...more });

  const named = (names) => (plot, value, series, index) => (index === null ? "" : names[index]);

  const shown = (format) => (value) => (value === null || value === undefined ? "" : format(value));

  const number = (format) => (plot, value) => shown(format)(value);

  const wholes = (plot, values) =>
    values.map((value) => (Number.isInteger(value) ? String(value) : ""));

  const depth = (count) => ({
    scales: { x: { time: false, range: [0.5, count + 0.5] } },
    x: Array.from({ length: count }, (unused, index) => index + 1),
  });

  const decades = (plot, axis, min, max) => {
    const all = [];
    for (let power = Math.ceil(Math.log10(min)); power <= Math.floor(Math.log10(max)); power++) {
      all.push(10 ** power);
    }
    return all;
  };

  const short = (value) => String(Number(value.toPrecision(3)));

  // Which of the operands is shown with its values.
  let chosen = Math.max(0, data.values.findIndex(({ criterion }) => criterion !== null));

  const dotSize = (names) => (names.length > 150 ? 4 : 6);

  const makers = {
    sqnr: ({ names, sqnr }) => {
      const { scales, x } = depth(names.length);
      return {
        options: {
          scales: { ...scales, y: { range: (plot, min, max) => uPlot.rangeNum(min, max, 0.1, false) } },
          axes: [
            baseline({ values: wholes }),
            axis({ size: 56, values: (plot, values) => values.map((value) => `${value} dB`) }),
          ],
          series: [
            { label: "Module", value: named(names) },
            {
              label: "SQNR",
              stroke: color("--accent"),
              paths: () => null,
              points: { show: true, size: dotSize(names), width: 0, fill: color("--accent") },
              value: number((value) => `${value.toFixed(1)} dB`),
            },
          ],
        },
        values: [x, sqnr],
      };
    },

    sizes: ({ names, before, after }) => {
      const { scales, x } = depth(names.length);
      // A logarithm has no zero; a module without bytes has no place.
      const places = (values) => values.map((value) => (value > 0 ? value : null));
      const dots = (label, fill) => ({
        label,
        stroke: fill,
        paths: () => null,
        points: { show: true, size: dotSize(names), width: 0, fill },
        value: number(bytes),
      });
      const connect = (plot) => {
        const { ctx, data: columns } = plot;
        ctx.save();
        ctx.strokeStyle = color("--before");
        ctx.lineWidth = devicePixelRatio;
        ctx.beginPath();
        columns[0].forEach((module, index) => {
          if (columns[1][index] !== null && columns[2][index] !== null) {
            const left = plot.valToPos(module, "x", true);
            ctx.moveTo(left, plot.valToPos(columns[1][index], "y", true));
            ctx.lineTo(left, plot.valToPos(columns[2][index], "y", true));
          }
        });
        ctx.stroke();
        ctx.restore();
      };
      return {
        options: {
          scales: { ...scales, y: { distr: 3 } },
          axes: [
            baseline({ values: wholes }),
            axis({ size: 64, splits: decades, values: (plot, values) => values.map(shown(bytes)) }),
          ],
          series: [
            { label: "Module", value: named(names) },
            dots("Before", color("--before")),
            dots("After", color("--accent")),
          ],
          hooks: { drawAxes: [connect] },
        },
        values: [x, places(before), places(after)],
      };
    },

    trials: (trials) => {
      const sorted = [...trials].sort((one, other) => one.bytes - other.bytes);
      const dots = (label, fill, size, belongs) => ({
        label,
        stroke: fill,
        paths: () => null,
        points: { show: true, size, width: 0, fill },
        value: number((value) => value.toFixed(6)),
        column: sorted.map((trial) => (belongs(trial) ? trial.cosine : null)),
      });
      const series = [
        dots("Tried", color("--before"), 6, (trial) => !trial.frontier && !trial.best),
        dots("On the frontier", color("--accent"), 7, (trial) => trial.frontier && !trial.best),
        dots("Best", color("--good"), 10, (trial) => trial.best),
      ];
      return {
        options: {
          scales: { x: { time: false, range: (plot, min, max) => uPlot.rangeNum(min, max, 0.1, false) } },
          axes: [
            baseline({ space: 70, values: (plot, values) => values.map(shown(bytes)) }),
            axis({ size: 64 }),
          ],
          series: [
            {
              label: "Configuration",
              value: (plot, value, place, index) =>
                index === null ? "" : `${sorted[index].name}, ${bytes(value)}`,
            },
            ...series,
          ],
        },
        values: [sorted.map((trial) => trial.bytes), ...series.map(({ column }) => column)],
      };
    },

    groups: (groups) => {
      const names = groups.map(({ name }) => name);
      const { scales, x } = depth(names.length);
      const dots = (label, fill) => ({
        label,
        stroke: fill,
        paths: () => null,
        points: { show: true, size: dotSize(names), width: 0, fill },
        value: number((value) => `${value.toFixed(1)} dB`),
      });
      return {
        options: {
          scales: { ...scales, y: { range: (plot, min, max) => uPlot.rangeNum(min, max, 0.1, false) } },
          axes: [
            baseline({ values: wholes }),
            axis({ size: 56, values: (plot, values) => values.map((value) => `${value} dB`) }),
          ],
          series: [
            { label: "Group", value: named(names) },
            dots("Alone", color("--accent")),
            dots("All but it", color("--before")),
          ],
        },
        values: [x, groups.map(({ alone }) => alone), groups.map(({ others }) => others)],
      };
    },

    values: (operands) => {
      const { from, to, low, high, counts } = operands[chosen];
      const width = (to - from) / counts.length || 1;
      const total = counts.reduce((sum, count) => sum + count, 0);
      const shade = (plot) => {
        const { ctx, bbox } = plot;
        const place = (value) =>
          Math.max(bbox.left, Math.min(bbox.left + bbox.width, plot.valToPos(value, "x", true)));
        ctx.save();
        ctx.globalAlpha = 0.15;
        ctx.fillStyle = color("--accent");
        ctx.fillRect(place(low), bbox.top, place(high) - place(low), bbox.height);
        ctx.globalAlpha = 1;
        ctx.strokeStyle = color("--accent");
        ctx.lineWidth = devicePixelRatio;
        ctx.beginPath();
        for (const end of [low, high]) {
          ctx.moveTo(place(end), bbox.top);
          ctx.lineTo(place(end), bbox.top + bbox.height);
        }
        ctx.stroke();
        ctx.restore();
      };
      return {
        options: {
          scales: {
            x: { time: false, range: () => [Math.min(from, low) - width, Math.max(to, high) + width] },
            y: { distr: 3, range: (plot, min, max) => [0.5, Math.max(max, 1) * 2] },
          },
          axes: [
            baseline({ space: 60 }),
            axis({ size: 56, splits: decades, values: (plot, values) => values.map(shown(short)) }),
          ],
          series: [
            {
              label: "Value",
              value: number((value) => `${short(value - width / 2)} to ${short(value + width / 2)}`),
            },
            {
              label: "Share",
              stroke: color("--before"),
              fill: color("--before"),
              width: 0,
              paths: uPlot.paths.bars({ size: [1, Infinity], align: 0 }),
              points: { show: false },
              value: number((value) => `${short((100 * value) / total)} %`),
            },
          ],
          hooks: { drawClear: [shade] },
        },
        values: [
          counts.map((unused, bin) => from + (bin + 0.5) * width),
          counts.map((count) => (count > 0 ? count : null)),
        ],
      };
    },

    choice: () => {
      const { low, high, criterion, amax, figures } = data.values[chosen];
      const amaxOf = Math.max(Math.abs(low), Math.abs(high));
      const [label, format] = {
        sqnr: ["SQNR", (value) => `${short(value)} dB`],
        divergence: ["Divergence above the least", (value) => `${short(value)} nats`],
        held: ["Values held", (value) => `${short(100 * value)} %`],
      }[criterion] ?? ["Figure", short];
      const mark = (plot) => {
        const { ctx, bbox } = plot;
        const left = plot.valToPos(amaxOf, "x", true);
        ctx.save();
        ctx.strokeStyle = color("--good");
        ctx.lineWidth = 2 * devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(left, bbox.top);
        ctx.lineTo(left, bbox.top + bbox.height);
        ctx.stroke();
        ctx.restore();
      };
      return {
        options: {
          scales: {
            x: { time: false, range: (plot, min, max) => [0, Math.max(max, amaxOf) * 1.03] },
            y: { range: (plot, min, max) => uPlot.rangeNum(min, max, 0.1, false) },
          },
          axes: [
            baseline({ space: 60 }),
            axis({ size: 72, values: (plot, values) => values.map(shown(format)) }),
          ],
          series: [
            { label: "Largest magnitude", value: number(short) },
            {
              label,
              stroke: color("--accent"),
              width: 2,
              points: { show: false },
              value: number(format),
            },
          ],
          hooks: { drawClear: [mark] },
        },
        values: [[...amax].reverse(), [...figures].reverse()],
      };
    },

    latencies: (models) => {
      const strokes = [color("--before"), color("--accent"), color("--good"), color("--fair")];
      // Each curve begins at nothing; of equal times the last counts.
      const tables = models.map(({ millis }) => {
        const share = new Map([[0, 0]]);
        millis.forEach((time, index) => share.set(time, (100 * (index + 1)) / millis.length));
        return [[...share.keys()], [...share.values()]];
      });
      return {
        options: {
          scales: {
            x: { time: false, range: (plot, min, max) => [0, max * 1.03] },
            y: { range: [0, 102] },
          },
          axes: [
            baseline({ space: 80, values: (plot, values) => values.map((value) => `${value} ms`) }),
            axis({ size: 48, values: (plot, values) => values.map((value) => `${value} %`) }),
          ],
          series: [
            { label: "Time", value: number((value) => `${value.toFixed(2)} ms`) },
            ...models.map(({ name }, index) => ({
              label: name,
              stroke: strokes[index % strokes.length],
              width: 2,
              spanGaps: true,
              paths: uPlot.paths.stepped({ align: 1 }),
              points: { show: false },
              value: number((value) => `${value.toFixed(0)} %`),
            })),
          ],
        },
        values: uPlot.join(tables),
      };
    },
  };

  const draw = (place) => {
    if (place.dataset.plot === "choice") {
      const figure = place.closest("figure");
      figure.hidden = data.values[chosen].criterion === null;
      if (figure.hidden) {
        place.replaceChildren();
        return;
      }
    }
    const { options, values } = makers[place.dataset.plot](data[place.dataset.plot]);
    place.replaceChildren();
    const plot = new uPlot(
      {
        width: Math.max(place.clientWidth, 160),
        height: window.innerWidth <= 600 ? 180 : 230,
        cursor: { y: false, drag: { x: true, y: false } },
        legend: { live: true },
        ...options,
      },
      values,
      place,
    );
    drawn.push({ place, plot });
  };

  const drawAll = () => {
    drawn.splice(0).forEach(({ plot }) => plot.destroy());
    document.querySelectorAll("[data-plot]").forEach(draw);
  };

  const operands = document.getElementById("operands");
  if (operands) {
    const list = document.getElementById("operand");
    const range = document.getElementById("range");
    list.append(
      ...data.values.map(({ name, operand }, index) => new Option(`${name}: ${operand}`, index)));
    const say = () => {
      const { low, high, algorithm, criterion } = data.values[chosen];
      const by = criterion === null ? "" : `, by ${algorithm}`;
      range.textContent = `Codes hold ${short(low)} to ${short(high)}${by}`;
    };
    list.value = chosen;
    list.addEventListener("change", () => {
      chosen = Number(list.value);
      say();
      const places = [...document.querySelectorAll("#values [data-plot]")];
      drawn
        .filter(({ place }) => places.includes(place))
        .forEach(({ plot }) => plot.destroy());
      const others = drawn.filter(({ place }) => !places.includes(place));
      drawn.splice(0, drawn.length, ...others);
      places.forEach(draw);
    });
    operands.hidden = false;
    say();
  }

  drawAll();
  new ResizeObserver(() => {
    for (const { place, plot } of drawn) {
      if (Math.abs(place.clientWidth - plot.width) > 1 && place.clientWidth > 0) {
        plot.setSize({ width: place.clientWidth, height: plot.height });
      }
    }
  }).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  const light = (on) => () => {
    document.documentElement.toggleAttribute("data-light", on);
    drawAll();
  };
  window.addEventListener("beforeprint", light(true));
  window.addEventListener("afterprint", light(false));
})();
