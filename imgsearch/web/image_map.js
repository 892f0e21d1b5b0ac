// The image map in the browser: one canvas for each map, all of the same images. Zoom, pan, point, click.
//
// Receives positions and one sheet of thumbnails, no text of the corpus.
// `data`: {key, sheet, columns, side, rows: [row], marked: [place in rows], query: place, maps: [{name, title, note, x: [], y: []}]},
// places in 0..1. A click sends {row}. The `data-row` of a canvas is the image that is pointed at.

const SLACK = 4 // pixels that the pointer may move during a click
const LARGEST = 72 // side of a thumbnail when zoomed in, pixels
const POINTED = 112 // side of the thumbnail that is pointed at
const MOST_ZOOM = 60
const mounted = new WeakMap() // one image map for each element of the page, kept when Streamlit redraws it

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".image-map")
  const send = (row) => setTriggerValue("row", row)
  const before = mounted.get(root)
  if (before && before.key === data.key) {
    before.send = send
    return before.end
  }
  before?.end()
  const map = build(root, data, send)
  mounted.set(root, map)
  return map.end
}

function build(root, data, send) {
  const map = { key: data.key, send, pointed: -1, sheet: new Image(), data, views: [] }
  map.views = data.maps.map((plane) => view(map, plane))
  map.draw = () => map.views.forEach(draw)
  map.end = () => {
    map.views.forEach((one) => one.watch.disconnect())
    mounted.delete(root)
  }
  root.replaceChildren(...map.views.map((one) => one.figure))
  map.sheet.onload = () => {
    map.draw()
    root.dataset.drawn = data.rows.length
  }
  map.sheet.src = data.sheet
  return map
}

function view(map, plane) {
  const figure = element("figure", "plane")
  const canvas = element("canvas", "")
  canvas.tabIndex = 0
  canvas.setAttribute("aria-label", `${plane.title}: ${map.data.rows.length} images, near ones alike`)
  const frame = element("div", "frame")
  frame.append(canvas, buttons((factor) => zoomBy(one, factor)))
  const caption = element("figcaption", "")
  caption.append(element("strong", "", plane.title), element("span", "", plane.note))
  figure.append(caption, frame)
  const one = { map, plane, canvas, figure, scale: 1, left: 0, top: 0, shown: [] }
  one.watch = new ResizeObserver(() => draw(one))
  one.watch.observe(canvas)
  listen(one)
  return one
}

function element(name, kind, text = "") {
  const made = document.createElement(name)
  if (kind) made.className = kind
  made.textContent = text
  return made
}

function buttons(zoom) {
  const bar = element("div", "zoom")
  for (const [sign, name, factor] of [["+", "Zoom in", 1.6], ["\u2212", "Zoom out", 1 / 1.6], ["\u25a1", "The whole map", 0]]) {
    const button = element("button", "", sign)
    button.type = "button"
    button.title = name
    button.setAttribute("aria-label", name)
    button.onclick = () => zoom(factor)
    bar.append(button)
  }
  return bar
}

// ---------------------------------------------------------------------------------------------------------------------
// drawing

function draw(one) {
  const { map, canvas, plane } = one
  const { clientWidth: width, clientHeight: height } = canvas
  if (!width || !map.sheet.complete) return
  const dense = window.devicePixelRatio || 1
  canvas.width = width * dense
  canvas.height = height * dense
  const pen = canvas.getContext("2d")
  pen.scale(dense, dense)
  pen.imageSmoothingQuality = "high"
  const side = thumbnailSide(one, width)
  const margin = side / 2 + 4
  one.shown = plane.x.map((x, i) => [
    margin + ((x - one.left) * one.scale) * (width - 2 * margin),
    margin + ((plane.y[i] - one.top) * one.scale) * (height - 2 * margin),
  ])
  one.side = side
  const accent = getComputedStyle(canvas).color
  one.shown.forEach((place, i) => thumbnail(one, pen, i, place, side))
  for (const i of map.data.marked) {
    thumbnail(one, pen, i, one.shown[i], side * 1.25)
    outline(pen, one.shown[i], side * 1.25, accent, i === map.data.query ? 4 : 2)
  }
  if (map.pointed >= 0) {
    const large = Math.max(POINTED, side)
    const place = one.shown[map.pointed].map((at, axis) => inside(at, large / 2 + 3, axis ? height : width))
    thumbnail(one, pen, map.pointed, place, large)
    outline(pen, place, large, accent, 3)
    rowNumber(pen, place, large, map.data.rows[map.pointed])
  }
  canvas.dataset.row = map.pointed >= 0 ? map.data.rows[map.pointed] : ""
}

function thumbnailSide(one, width) {
  const crowd = (1.35 * width) / Math.sqrt(one.map.data.rows.length)
  return Math.min(LARGEST, Math.max(14, Math.min(48, crowd)) * one.scale ** 0.6)
}

function thumbnail({ map }, pen, i, [x, y], side) {
  const { columns, side: from } = map.data
  const left = (i % columns) * from
  const top = Math.floor(i / columns) * from
  // Half a pixel less at each edge, since smoothing would mix in the neighbour on the sheet.
  pen.drawImage(map.sheet, left + 0.5, top + 0.5, from - 1, from - 1, x - side / 2, y - side / 2, side, side)
}

function outline(pen, [x, y], side, colour, width) {
  for (const [stroke, wide] of [["#fffdf8", width + 3], [colour, width]]) { // a light edge makes it stand out
    pen.lineWidth = wide
    pen.strokeStyle = stroke
    pen.strokeRect(x - side / 2, y - side / 2, side, side)
  }
}

function rowNumber(pen, [x, y], side, row) {
  const text = `row ${row}`
  pen.font = "600 12px sans-serif"
  const wide = pen.measureText(text).width + 10
  pen.fillStyle = "#fffdf8"
  pen.fillRect(x - side / 2, y + side / 2 - 18, wide, 18)
  pen.fillStyle = "#26231f"
  pen.fillText(text, x - side / 2 + 5, y + side / 2 - 5)
}

const inside = (at, margin, length) => Math.min(Math.max(at, margin), length - margin)

// ---------------------------------------------------------------------------------------------------------------------
// pointing, moving, zooming

function listen(one) {
  const { canvas } = one
  let held = null // where the pointer went down, and how far it has moved
  canvas.addEventListener("pointerdown", (event) => {
    held = { x: event.offsetX, y: event.offsetY, moved: 0 }
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener("pointermove", (event) => {
    if (held) {
      held.moved = Math.max(held.moved, Math.hypot(event.offsetX - held.x, event.offsetY - held.y))
      if (held.moved > SLACK) {
        shift(one, event.movementX, event.movementY)
        return point(one, -1)
      }
    }
    point(one, at(one, event.offsetX, event.offsetY))
  })
  canvas.addEventListener("pointerup", (event) => {
    const clicked = held && held.moved <= SLACK ? at(one, event.offsetX, event.offsetY) : -1
    held = null
    if (clicked >= 0) one.map.send(one.map.data.rows[clicked])
  })
  canvas.addEventListener("pointercancel", () => (held = null))
  canvas.addEventListener("pointerleave", () => held || point(one, -1))
  canvas.addEventListener("wheel", (event) => wheel(one, event), { passive: false })
  canvas.addEventListener("keydown", (event) => key(one, event))
}

function at(one, x, y) {
  const half = one.side / 2
  for (let i = one.shown.length - 1; i >= 0; i--) { // the last drawn is on top
    if (Math.abs(one.shown[i][0] - x) <= half && Math.abs(one.shown[i][1] - y) <= half) return i
  }
  return -1
}

function point(one, i) {
  if (i !== one.map.pointed) {
    one.map.pointed = i
    one.map.draw() // in every map, to show the position of the image in the other
  }
  one.canvas.style.cursor = i >= 0 ? "pointer" : "grab"
}

function wheel(one, event) {
  if (!event.ctrlKey && !event.metaKey) return // leaves scrolling to the page; a pinch on a touchpad has ctrlKey
  event.preventDefault()
  const quick = Math.abs(event.deltaY) < 40 ? 0.01 : 0.002
  zoomBy(one, Math.exp(-event.deltaY * quick), event.offsetX, event.offsetY)
}

function key(one, event) {
  const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }
  const zooms = { "+": 1.6, "=": 1.6, "-": 1 / 1.6, 0: 0 }
  if (event.key in moves) shift(one, ...moves[event.key])
  else if (event.key in zooms) zoomBy(one, zooms[event.key])
  else return
  event.preventDefault()
}

function zoomBy(one, factor, x = one.canvas.clientWidth / 2, y = one.canvas.clientHeight / 2) {
  const scale = factor ? Math.min(MOST_ZOOM, Math.max(1, one.scale * factor)) : 1
  const grown = 1 / one.scale - 1 / scale // keeps the point under (x, y) in place
  one.left += (x / one.canvas.clientWidth) * grown
  one.top += (y / one.canvas.clientHeight) * grown
  one.scale = scale
  shift(one, 0, 0)
}

function shift(one, dx, dy) {
  const room = 1 - 1 / one.scale
  one.left = Math.min(room, Math.max(0, one.left - dx / one.canvas.clientWidth / one.scale))
  one.top = Math.min(room, Math.max(0, one.top - dy / one.canvas.clientHeight / one.scale))
  draw(one)
}
