-- Holds each of wrk's 50 connections back, so that 12,000 to 15,000 requests a second arrive and not as many as the machine can make.
function delay()
    return 3
end
