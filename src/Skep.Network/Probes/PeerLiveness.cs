namespace Skep.Network.Probes;

/// <summary>Whether a peer answers, from the times of questions and answers. No clock of its own.</summary>
internal sealed class PeerLiveness
{
    /// <summary>How long a peer that has answered before may be silent, besides what its answers usually take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(600);

    /// <summary>How long a peer may be silent that has never answered: it may still be making its network.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    private const int FewestQuestions = 3;

    private TimeSpan? _unansweredSince;
    private TimeSpan _usual;
    private int _unanswered;

    /// <summary>A peer that was silent when it was heard of last: its next answer is news.</summary>
    public static PeerLiveness SilentAt(TimeSpan now) => new() { Silent = true, _unansweredSince = now };

    public bool EverAnswered { get; private set; }

    public bool Silent { get; private set; }

    /// <summary>When the silence began; only while it lasts.</summary>
    public TimeSpan? SilentSince => Silent ? _unansweredSince : null;

    /// <summary>A question is about to be sent. True when the questions before it were unanswered for too long: the peer is silent from now on.</summary>
    public bool Ask(TimeSpan now)
    {
        var turned = !Silent
            && _unanswered >= FewestQuestions
            && now - _unansweredSince >= (EverAnswered ? Patience + (_usual * 4) : FirstPatience);
        Silent |= turned;
        _unansweredSince ??= now;
        _unanswered++;
        return turned;
    }

    /// <summary>An answer, to the question of <paramref name="asked"/>. True when the peer was silent until now.</summary>
    public bool Answer(TimeSpan asked, TimeSpan now)
    {
        var returned = Silent;
        var took = now - asked;
        _usual = EverAnswered ? (_usual * 7 / 8) + (took / 8) : took;
        (Silent, EverAnswered, _unanswered, _unansweredSince) = (false, true, 0, null);
        return returned;
    }

    /// <summary>This node itself was asleep: what it did not hear meanwhile proves nothing.</summary>
    public void Excuse()
    {
        if (!Silent)
        {
            (_unanswered, _unansweredSince) = (0, null);
        }
    }
}
