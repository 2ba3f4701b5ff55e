-- Holds each of wrk's 50 connections back, so that about 12,000 requests a second arrive and not as many as the machine can make.
function delay()
    return 4
end
