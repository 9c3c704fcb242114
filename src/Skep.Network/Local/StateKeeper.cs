using Microsoft.Extensions.Logging;
using Skep.Model.Plans;

namespace Skep.Network.Local;

/// <summary>What this node keeps over a restart of its daemon: its own choices, and the plan that the kernel held last.</summary>
internal sealed class StateKeeper
{
    private readonly LocalStateFile _file;
    private readonly DrainJournal _drains;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private LocalState _durable;
    private (LocalState Wished, LocalState Durable)? _reduced;
    private bool _full;
    private NodePlan? _written;
    private Task _saving = Task.CompletedTask;
    private TimeSpan _pause;
    private long _saved;
    private bool _left;

    /// <param name="options">The node's place and clock.</param>
    /// <param name="prepare">Makes the choices that an earlier daemon did not make, or that are no longer good.</param>
    /// <param name="logger">The node network's.</param>
    public StateKeeper(NodeNetworkOptions options, Func<LocalState, LocalState> prepare, ILogger logger)
    {
        (_file, _clock, _logger) = (new LocalStateFile(options.StateFolder), options.Clock, logger);
        _durable = _file.Read();
        State = prepare(_durable);
        _drains = new DrainJournal(_file, logger);
        _written = _file.ReadPlan() is { } last && last.NodeId == options.NodeId ? last : null;
        Plan = _written is null ? null : _drains.Apply(_written);
        if (State.CipherGeneration.Length > 0 && State.CipherGeneration != _durable.CipherGeneration)
        {
            _file.Write(State);
        }
    }

    /// <summary>The choices that the daemon starts with.</summary>
    public LocalState State { get; }

    /// <summary>The plan that the kernel held last; null when none was kept.</summary>
    public NodePlan? Plan { get; }

    /// <summary>Writes choices now, from any thread.</summary>
    public void Write(LocalState local) => _file.Write(local);

    /// <summary>
    /// Choices are on disk before the kernel sees them, with one write for all that came since the pass before. While the disk takes none, containers
    /// that came since wait and everything else goes on: what others are told of by the plan must not wait for this disk.
    /// </summary>
    /// <returns>What the kernel may see, and why it is not all.</returns>
    public (LocalState Local, IOException? Unsaved) Commit(LocalState local)
    {
        try
        {
            if (!ReferenceEquals(local, _durable) && local != _durable)
            {
                _file.Write(local);
            }
        }
        catch (IOException full)
        {
            if (!_full)
            {
                _logger.ChoicesNotSaved(full.Message);
            }

            _full = true;
            return (Reduced(local), full);
        }

        (_durable, _reduced, _full) = (local, null, false);
        return (local, null);
    }

    /// <summary>
    /// Writes the whole plan beside the caller, unless that is just being done or was lately. It is asked for by the clock and not by changes: a
    /// daemon that starts with an older plan soon gets the newest. Nobody waits for it, and a large plan is written the more seldom.
    /// </summary>
    public void Keep(NodePlan plan)
    {
        if (!ReferenceEquals(plan, _written) && _saving.IsCompleted && _clock.GetElapsedTime(_saved) >= _pause)
        {
            _saving = Task.Run(() => Write(plan));
        }
    }

    /// <summary>The kernel holds a plan, of which nobody has heard yet: what left balancing in it must not come back with the one on disk.</summary>
    public void NoteDrained(NodePlan plan, PlanDelta? delta) => _drains.Note(plan, delta, Volatile.Read(ref _written)?.Revision ?? 0);

    /// <summary>A plan that was kept elsewhere, with what is known here to have left balancing since.</summary>
    public NodePlan WithDrained(NodePlan plan) => _drains.Apply(plan);

    /// <summary>Ends when nothing is being written.</summary>
    public Task SettleAsync() => _saving;

    /// <summary>The daemon ends. The next one finds the plan that the kernel holds, so that it does not lead anybody back to an older one.</summary>
    /// <param name="last">The plan that the kernel holds; null = none was ever applied.</param>
    public async Task FinishAsync(NodePlan? last)
    {
        await SettleAsync();
        if (last is not null && !_left && !ReferenceEquals(last, _written))
        {
            Write(last);
        }
    }

    /// <summary>The node has left the swarm. Nothing may be on its way to the disk.</summary>
    public void Delete()
    {
        _left = true;
        _file.Delete();
    }

    // The same one for the same choices: from another one everything would be computed anew.
    private LocalState Reduced(LocalState local)
    {
        if (_reduced is not { } last || !ReferenceEquals(last.Wished, local))
        {
            _reduced = last = (local, local.Within(_durable));
        }

        return last.Durable;
    }

    private void Write(NodePlan plan)
    {
        var start = _clock.GetTimestamp();
        try
        {
            _file.Write(plan);
            _written = plan;
        }
        catch (IOException full)
        {
            // The next tick tries again; meanwhile the kernel goes on being kept right.
            _logger.PlanNotSaved(full.Message);
        }

        _pause = 20 * _clock.GetElapsedTime(start);
        _saved = _clock.GetTimestamp();
    }
}
