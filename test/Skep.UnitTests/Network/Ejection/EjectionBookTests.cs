using System.Net;
using Skep.Network.Ejection;

namespace Skep.UnitTests.Network.Ejection;

public sealed class EjectionBookTests
{
    private static readonly BackendPort s_web = new(IPAddress.Parse("10.0.1.4"), BackendPort.Tcp, 3000);
    private static readonly BackendPort s_dns = new(IPAddress.Parse("10.0.1.4"), BackendPort.Udp, 53);
    private readonly EjectionBook _book = new();

    [Theory]
    [InlineData(0, 500)]
    [InlineData(1, 500)]
    [InlineData(4, 1000)]
    [InlineData(20, 5000)]
    [InlineData(3600, 10000)]
    public void A_trial_comes_after_a_quarter_of_the_absence(int seconds, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), TrialSchedule.Wait(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Who_refuses_a_port_that_is_served_is_out_until_he_answers()
    {
        Assert.True(_book.Refuse(s_web, served: true, At(0)));
        Assert.False(_book.Refuse(s_web, served: true, At(0.1)));
        Assert.Equal(At(0.6), _book.NextDue);
        Assert.Empty(_book.Pass(At(0.5)).Trials);
        Assert.Equal([s_web], _book.Pass(At(0.6)).Trials);
        Assert.True(_book.Refusals[s_web].Out);

        Assert.True(_book.Answer(s_web, At(0.7)));
        Assert.Empty(_book.Refusals);
        Assert.Null(_book.NextDue);
    }

    [Fact]
    public void A_refusal_on_a_port_that_nobody_serves_is_no_proof()
    {
        Assert.False(_book.Refuse(s_web, served: false, At(0)));
        Assert.Empty(_book.Refusals);
    }

    [Fact]
    public void Trials_that_fail_come_more_and_more_seldom_and_every_ten_seconds_at_last()
    {
        _book.Refuse(s_web, served: true, At(0));
        var last = TimeSpan.Zero;
        var gaps = new List<double>();
        while (last < At(120))
        {
            var due = _book.NextDue!.Value;
            gaps.Add((due - last).TotalSeconds);
            last = due;
            Assert.Equal([s_web], _book.Pass(due).Trials);
            _book.Refuse(s_web, served: true, due);
        }

        Assert.Equal(gaps.Order(), gaps);
        Assert.Equal(0.5, gaps[0]);
        Assert.Equal(10, gaps[^1]);
        Assert.InRange(gaps.Count, 15, 40);
    }

    [Fact]
    public void A_udp_port_is_let_in_again_and_stays_unless_it_refuses_once_more()
    {
        Assert.True(_book.Refuse(s_dns, served: true, At(0)));
        var (trials, returned) = _book.Pass(At(0.5));
        Assert.Empty(trials);
        Assert.True(returned);
        Assert.False(_book.Refusals[s_dns].Out);

        Assert.True(_book.Refuse(s_dns, served: true, At(1)));
        Assert.True(_book.Refusals[s_dns].Out);
        Assert.True(_book.Pass(At(1.5)).Returned);
        Assert.False(_book.Pass(At(1.5) + EjectionBook.Probation).Returned);
        Assert.Empty(_book.Refusals);
    }

    [Fact]
    public void Answers_are_forgotten_after_their_time_and_with_their_backend()
    {
        var other = s_web with { Port = 3001 };
        Assert.True(_book.Answer(s_web, At(0)));
        Assert.False(_book.Answer(s_web, At(1)));
        _book.Answer(other, At(1));
        _book.Refuse(s_dns, served: true, At(1));
        Assert.True(_book.HasAnswered(s_web, At(2)));
        Assert.False(_book.HasAnswered(s_web, At(1) + EjectionBook.Memory));

        Assert.True(_book.Purge(p => p.Port != 3001, At(2)));
        Assert.Equal([s_web], _book.Answered);
        Assert.False(_book.Purge(_ => true, At(2)));
        Assert.True(_book.Purge(_ => true, At(1) + EjectionBook.Memory));
        Assert.Empty(_book.Answered);
        Assert.True(_book.Retain(_ => false));
        Assert.Empty(_book.Refusals);
    }

    [Fact]
    public void A_client_that_tries_every_port_fills_neither_memory_nor_rules()
    {
        for (ushort port = 1; port < 2000; port++)
        {
            _book.Refuse(s_dns with { Port = port }, served: true, At(0));
        }

        Assert.Equal(16, _book.Refusals.Count);
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
