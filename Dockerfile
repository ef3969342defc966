# One image for every process: `patternlog serve PROCESS`, `patternlog setup`.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
# The versions of the lock; it has development's packages too, so it is taken for a constraint.
RUN sed -n 's/^\([A-Za-z0-9][^ ;]*==[^ ;]*\).*/\1/p' requirements/lock.txt > /constraints.txt \
    && python -m venv /app \
    && /app/bin/pip install --no-cache-dir --constraint /constraints.txt '.[server]'

FROM python:3.11-slim
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PATTERNLOG_HOST=0.0.0.0
USER nobody
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["patternlog"]
CMD ["serve", "all"]
