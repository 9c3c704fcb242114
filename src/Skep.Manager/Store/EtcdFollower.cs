using Google.Protobuf;
using Google.Protobuf.Collections;
using Microsoft.Extensions.Logging;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Protocol.Etcd;
using Skep.Protocol.Records;
using Skep.Rpc;

namespace Skep.Manager.Store;

/// <summary>Keeps the mirror equal to etcd: one load, then one watch, and both again after a loss.</summary>
internal sealed class EtcdFollower(EtcdClient etcd, StoreMirror mirror, TimeProvider clock, ILogger logger)
{
    private const int PageSize = 1000;
    private static readonly TimeSpan s_firstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longestDelay = TimeSpan.FromSeconds(1);

    private TimeSpan _delay = s_firstDelay;

    /// <summary>Makes the mirror what etcd holds at one revision, and publishes the difference as one commit.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        var written = new List<SwarmObject>();
        var seen = new HashSet<(ObjectKind, string)>();
        var revision = 0L;
        var first = EtcdKeys.ObjectsFirst;
        while (true)
        {
            var page = await etcd.RangeAsync(
                new RangeRequest { Key = first, RangeEnd = EtcdKeys.ObjectsEnd, Limit = PageSize, Revision = revision },
                cancellationToken);
            revision = revision == 0 ? page.Header.Revision : revision;
            foreach (var kv in page.Kvs)
            {
                if (EtcdKeys.TryParseObject(kv.Key, out var kind, out var id))
                {
                    seen.Add((kind, id));
                    if (mirror.Current.Find(kind, id)?.Version != (ulong)kv.ModRevision)
                    {
                        written.Add(RecordCodec.Decode(kind, kv.Value.Span, (ulong)kv.ModRevision));
                    }
                }
            }

            if (!page.More)
            {
                break;
            }

            // The least key after the last one of this page.
            first = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }

        var removed = Everything(mirror.Current).Select(o => (o.Kind, o.Id)).Where(o => !seen.Contains(o)).ToList();
        mirror.Publish((ulong)revision, written, removed);
        logger.StoreLoaded(seen.Count, revision, written.Count, removed.Count);
    }

    /// <summary>Follows until cancelled; a lost watch is opened again from where it was.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await WatchAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                logger.WatchLost(failure.Message, mirror.Current.Revision);
            }

            _delay = TimeSpan.FromTicks(Math.Min(_delay.Ticks * 2, s_longestDelay.Ticks));
            await Task.Delay(_delay, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WatchAsync(CancellationToken stopping)
    {
        await using var call = etcd.Watch(stopping);
        var create = new WatchCreateRequest
        {
            Key = EtcdKeys.ObjectsFirst,
            RangeEnd = EtcdKeys.ObjectsEnd,
            StartRevision = (long)mirror.Current.Revision + 1,
        };
        await call.WriteAsync(new WatchRequest { CreateRequest = create }, stopping);
        await foreach (var response in call.ReadAllAsync(stopping))
        {
            // Compacted away: the changes since then cannot be told one by one any more. Or etcd's data was put back to an
            // older state, and it would be silent until it reached our revision again.
            var compacted = response is { Canceled: true, CompactRevision: > 0 };
            if (compacted || (response.Created && (ulong)response.Header.Revision < mirror.Current.Revision))
            {
                await ReloadAsync(stopping);
                return;
            }

            if (response.Canceled)
            {
                throw new ClusterException(ErrorKind.Unavailable, $"the store ended the watch: {response.CancelReason}");
            }

            if (response.Created)
            {
                _delay = s_firstDelay;
                logger.WatchOpened(create.StartRevision);
            }

            Apply(response.Events);
        }

        throw new RpcException(RpcStatusCode.Unavailable, "The store closed the watch.");
    }

    /// <summary>Events come in the order of their revisions, and all those of one revision come together.</summary>
    private void Apply(RepeatedField<Event> events)
    {
        for (var i = 0; i < events.Count;)
        {
            var revision = events[i].Kv.ModRevision;
            var written = new List<SwarmObject>();
            var removed = new List<(ObjectKind Kind, string Id)>();
            for (; i < events.Count && events[i].Kv.ModRevision == revision; i++)
            {
                if (!EtcdKeys.TryParseObject(events[i].Kv.Key, out var kind, out var id))
                {
                    continue;
                }

                if (events[i].Type == Event.Types.EventType.Delete)
                {
                    removed.Add((kind, id));
                }
                else
                {
                    written.Add(RecordCodec.Decode(kind, events[i].Kv.Value.Span, (ulong)revision));
                }
            }

            mirror.Publish((ulong)revision, written, removed);
        }
    }

    private static IEnumerable<SwarmObject> Everything(StoreView view)
    {
        IEnumerable<SwarmObject> cluster = view.Cluster is null ? [] : [view.Cluster];
        return cluster.Concat(view.Nodes.Values).Concat(view.Networks.Values).Concat(view.Services.Values).Concat(view.Tasks.Values);
    }
}
