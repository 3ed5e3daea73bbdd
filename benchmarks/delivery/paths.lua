-- Request the paths of a file in turn, each with the method GET, and report as one line of JSON at the end.
-- arguments: the file; "miss" to count the answers that came from a cache, else "hit"

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  paths, at, cached = {}, 0, 0
  for path in io.lines(arguments[1]) do
    paths[#paths + 1] = wrk.format("GET", path)
  end
  if arguments[2] == "miss" then
    response = function(status, headers)
      local note = headers["cache-status"] or headers["Cache-Status"] or ""
      if note:find("; hit", 1, true) then cached = cached + 1 end
    end
  end
end

function request()
  at = at % #paths + 1
  return paths[at]
end

function done(summary, latency, requests)
  local errors, cached = summary.errors, 0
  for _, thread in ipairs(threads) do
    cached = cached + thread:get("cached")
  end
  io.write(string.format(
    '\n{"calls": %d, "seconds": %f, "failed": %d, "cached": %d, "p50_ms": %f, "p95_ms": %f}\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, cached,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
