namespace Skep.Network.Ejection;

/// <summary>
/// Which ports of backends answered lately, which refuse, and when those are tried again. No clock of its own: times are handed in.
/// Not thread-safe.
/// </summary>
internal sealed class EjectionBook
{
    /// <summary>How long an answer tells that a port is meant to be served.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    /// <summary>A UDP port that has not refused for so long after its trial is right again.</summary>
    public static readonly TimeSpan Probation = TimeSpan.FromSeconds(15);

    // A client that tries every port of a service must not fill a node's memory and rules.
    private const int MostOfOneAddress = 16;
    private const int Most = 1024;

    private readonly Dictionary<BackendPort, TimeSpan> _answered = [];
    private readonly Dictionary<BackendPort, Refusal> _refusals = [];

    public IReadOnlyDictionary<BackendPort, Refusal> Refusals => _refusals;

    public IEnumerable<BackendPort> Answered => _answered.Keys;

    /// <summary>When <see cref="Pass"/> has something to do; null = nothing is pending.</summary>
    public TimeSpan? NextDue => _refusals.Count == 0 ? null : _refusals.Values.Min(r => r.NextTrial);

    /// <summary>The port answered. True when that is news.</summary>
    public bool Answer(BackendPort port, TimeSpan now)
    {
        var known = _answered.ContainsKey(port);
        if (known || _answered.Count < Most * 16)
        {
            _answered[port] = now;
        }

        return _refusals.Remove(port) || !known;
    }

    /// <summary>The port refused. True when it is out from now on and was in before.</summary>
    /// <param name="port">Which.</param>
    /// <param name="served">Whether the port is one that this backend or one of its siblings serves. On other ports a refusal is right.</param>
    /// <param name="now">When.</param>
    public bool Refuse(BackendPort port, bool served, TimeSpan now)
    {
        if (_refusals.TryGetValue(port, out var known))
        {
            _refusals[port] = known with { NextTrial = now + TrialSchedule.Wait(now - known.Since), Out = true };
            return !known.Out;
        }

        if (!served || _refusals.Count >= Most || _refusals.Keys.Count(p => p.Address.Equals(port.Address)) >= MostOfOneAddress)
        {
            return false;
        }

        _refusals[port] = new Refusal(now, now + TrialSchedule.Wait(TimeSpan.Zero));
        return true;
    }

    /// <summary>Whether the port answered within <see cref="Memory"/>.</summary>
    public bool HasAnswered(BackendPort port, TimeSpan now) => _answered.TryGetValue(port, out var last) && now - last < Memory;

    /// <summary>
    /// What is due: TCP ports to be tried, which stay out meanwhile; and whether anybody came back by himself. UDP has no
    /// handshake to try, so its ports are let in again and must refuse once more to stay out.
    /// </summary>
    public (IReadOnlyList<BackendPort> Trials, bool Returned) Pass(TimeSpan now)
    {
        var trials = new List<BackendPort>();
        var returned = false;
        foreach (var (port, refusal) in _refusals.Where(r => r.Value.NextTrial <= now).ToList())
        {
            if (port.Protocol == BackendPort.Tcp)
            {
                trials.Add(port);
                _refusals[port] = refusal with { NextTrial = now + TrialSchedule.Wait(now - refusal.Since) };
            }
            else if (refusal.Out)
            {
                returned = true;
                _refusals[port] = refusal with { NextTrial = now + Probation, Out = false };
            }
            else
            {
                _refusals.Remove(port);
            }
        }

        return (trials, returned);
    }

    /// <summary>Forgets refusals of backends that are no more; whether there were any.</summary>
    public bool Retain(Func<BackendPort, bool> exists)
    {
        var gone = _refusals.Keys.Where(p => !exists(p)).ToList();
        gone.ForEach(p => _refusals.Remove(p));
        return gone.Count > 0;
    }

    /// <summary>Forgets answers of backends that are no more, and those that are too old; whether there were any.</summary>
    public bool Purge(Func<BackendPort, bool> exists, TimeSpan now)
    {
        var gone = _answered.Where(a => now - a.Value >= Memory || !exists(a.Key)).Select(a => a.Key).ToList();
        gone.ForEach(p => _answered.Remove(p));
        return gone.Count > 0;
    }
}
